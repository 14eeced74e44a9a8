/** The largest page; what is larger is asked for in several. */
export const MAX_PAGE = 1000;

export const DEFAULT_PAGE = 50;

/** Whether PostgreSQL could hold this text: U+0000 is the one thing it refuses, so nothing of such a name is ever found. */
export const isStorable = (text: string): boolean => !text.includes('\0');

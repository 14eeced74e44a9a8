/** Whether PostgreSQL holds this text as it is: it refuses U+0000, and half a character comes back as another one. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

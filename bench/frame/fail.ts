/** Ends the process, which its Subject tells of with what was said last. */
export function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

/** What a project's global set-up tells its test files about the database they run on. */
export type TestDatabase =
  | {
      readonly kind: 'embedded' /** A data directory with a made and migrated database, to be copied. */;
      readonly template: string;
    }
  | { readonly kind: 'postgres' /** A server on which databases may be made. */; readonly url: string }
  | { readonly kind: 'none'; readonly reason: string };

declare module 'vitest' {
  interface ProvidedContext {
    testDatabase: TestDatabase;
  }
}

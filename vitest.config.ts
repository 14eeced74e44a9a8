import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Two copies of graphql (ESM and CommonJS) would hide public error codes; see docs/decisions.
const alias = { graphql: fileURLToPath(import.meta.resolve('graphql/index.js')) };

/** Tests that need a database end in .db.test.ts and run once on each database. */
const onDatabase = (name: 'embedded' | 'postgres') => ({
  resolve: { alias },
  test: {
    name,
    include: ['test/**/*.db.test.ts'],
    globalSetup: [`test/support/${name}-database.ts`],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      { resolve: { alias }, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/**/*.db.test.ts'], testTimeout: 30_000 } },
      onDatabase('embedded'),
      onDatabase('postgres'),
    ],
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Two copies of graphql (ESM and CommonJS) would hide public error codes.
const alias = { graphql: fileURLToPath(import.meta.resolve('graphql/index.js')) };

/** Groups run one after another: a database that shares its cores with other tests misses their deadlines. */
const group = (order: number, maxWorkers: number) => ({ sequence: { groupOrder: order }, maxWorkers });

/** Tests that need a database end in .db.test.ts and run once on each database. */
const onDatabase = (name: 'embedded' | 'postgres', order: number) => ({
  resolve: { alias },
  test: {
    name,
    include: ['test/**/*.db.test.ts'],
    globalSetup: [`test/support/${name}-database.ts`],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...group(order, 1),
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.db.test.ts'],
          testTimeout: 60_000,
          ...group(0, 2),
        },
      },
      onDatabase('embedded', 1),
      onDatabase('postgres', 2),
    ],
  },
});

import { mkdir, writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../graphql/schema.ts';

const FILE = new URL('../../schema/schema.graphql', import.meta.url);

await mkdir(new URL('.', FILE), { recursive: true });
await writeFile(FILE, `${printSchema(lexicographicSortSchema(schema))}\n`);

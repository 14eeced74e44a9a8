import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config/config.ts';
import type { ExchangeAdapter } from '../../src/exchanges/adapter.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import { DATA_TYPES } from '../../src/market/data-type.ts';
import { blocksOf, README, ROOT } from './readme.ts';

const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const cellsOf = (row: string) =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('the README', () => {
  it('names for every exchange and data type the channels the registry has, the default first', () => {
    const [header, , ...rest] = README.slice(README.indexOf('| | trade |')).split('\n');
    expect(
      cellsOf(header ?? '')
        .slice(1)
        .toSorted(),
    ).toEqual(DATA_TYPES.toSorted());
    const rows = rest
      .slice(
        0,
        rest.findIndex((line) => !line.startsWith('|')),
      )
      .map(cellsOf);
    const adapters: readonly ExchangeAdapter[] = Object.values(EXCHANGES);
    expect(rows.map(([name]) => name)).toEqual(adapters.map(({ name }) => name));
    for (const [index, { channelNames }] of adapters.entries())
      for (const [column, type] of cellsOf(header ?? '').entries()) {
        if (column === 0) continue;
        const cell = rows[index]?.[column] ?? '';
        const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
        const more = Number(/and (\d+) more/.exec(cell)?.[1] ?? 0);
        const found = channelNames[type as keyof typeof channelNames] ?? [];
        expect([type, names, more]).toEqual([type, found.slice(0, names.length), found.length - names.length]);
      }
  });

  it('names only commands that exist', () => {
    const scripts = [...README.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, name]) => name);
    const own = Object.keys(packageJson.scripts);
    expect(scripts.filter((name) => name !== undefined && name !== 'install' && !own.includes(name))).toEqual([]);
    const files = [...README.matchAll(/npx node (\S+\.ts)/g)].map(([, path = '']) => path);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
  });

  it('lists every example', () => {
    const examples = readdirSync(new URL('examples', ROOT)).filter((name) => !['ask.ts', 'generated'].includes(name));
    for (const name of examples) expect(README).toContain(`examples/${name}`);
  });

  it('shows a configuration that is accepted', () => {
    const [example = ''] = blocksOf('json').filter((text) => text.includes('"exchanges"'));
    const config = loadConfig({ argv: ['--config', 'mine.json'], env: {}, readFile: () => example });
    expect(config.exchanges.map(({ exchange }) => exchange)).toEqual(['okx', 'binance']);
  });

  it('shows documents that fit the schema', () => {
    const schema = buildSchema(read('schema/schema.graphql'));
    const documents = [...README.matchAll(/"query": ("(?:[^"\\]|\\.)*")/g)].map(([, text = '""']) =>
      String(JSON.parse(text)),
    );
    expect(documents.length).toBe(5);
    for (const document of documents) expect(validate(schema, parse(document))).toEqual([]);
  });
});

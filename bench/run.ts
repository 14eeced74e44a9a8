/** `npm run bench -- NAME`: one of the comparisons of this folder. */
const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  ccxt: () => import('./ccxt-against-simulator.ts'),
  candles: () => import('./candles.ts'),
};

const [name = 'ccxt'] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  console.error(`There is no "${name}"; choose one of ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
await bench();

export {};

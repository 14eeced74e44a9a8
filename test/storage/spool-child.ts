import { silentLog } from '../../src/runtime/log.ts';
import { Spool } from '../../src/storage/spool/spool.ts';

/** Appends without end and tells the number of each batch that was confirmed; to be killed. */
const [where = ''] = process.argv.slice(2);
const spool = await Spool.open(where, 64 * 1024 * 1024, silentLog);
const last = (await spool.read(0, 1_000_000)).at(-1)?.number ?? 0;
for (let number = last + 1; ; number += 1) {
  await spool.append([{ number, last: number, at: 0, body: `batch ${number} ${'x'.repeat(2_000)}` }]);
  process.stdout.write(`${number}\n`);
}

import { writeSync } from 'node:fs';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openEventLog } from '../../src/storage/event-log.ts';

/** Writes events into the log of a directory for ever, and the number of each one it is told of. */
const log = openEventLog<{ readonly what: string }>(process.argv[2] ?? '', { clock: systemClock, log: silentLog });
log.onEvent(({ number }) => {
  writeSync(1, `${number}\n`);
  setImmediate(() => log.append({ what: 'x' }));
});
for (const what of ['a', 'b', 'c']) log.append({ what });

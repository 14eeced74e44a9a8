import { Presets, SingleBar } from 'cli-progress';
import type { Clock } from '../runtime/clock.ts';

/** Shows how far it is; `stop` leaves the last state standing. */
export interface ProgressView {
  show(progress: { readonly done: bigint; readonly total: bigint; readonly note: string }): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;

/** A bar on a terminal, else a line now and then, as for a log file. */
export const progressView = (stream: NodeJS.WriteStream, clock: Clock): ProgressView =>
  stream.isTTY ? bar(stream) : lines((line) => stream.write(`${line}\n`), clock);

function bar(stream: NodeJS.WriteStream): ProgressView {
  const format = '  {bar} {percentage}% | {value} of {total} | {duration_formatted}, {eta_formatted} to go | {note}';
  const own = new SingleBar({ format, stream, hideCursor: true, etaBuffer: 50 }, Presets.shades_classic);
  let started = false;
  return {
    show({ done, total, note }) {
      if (!started) own.start(Number(total), Number(done), { note });
      started = true;
      own.update(Number(done), { note });
    },
    stop: () => own.stop(),
  };
}

export function lines(print: (line: string) => void, clock: Clock): ProgressView {
  let printedAt = Number.NEGATIVE_INFINITY;
  let last = '';
  let printed = '';
  const say = () => {
    if (last === printed) return;
    printed = last;
    printedAt = clock.monotonic();
    print(last);
  };
  return {
    show({ done, total, note }) {
      const percent = total === 0n ? 100n : (done * 100n) / total;
      last = `${percent} %: ${done} of ${total} (${note})`;
      if (clock.monotonic() - printedAt >= LINE_EVERY_MS) say();
    },
    stop: say,
  };
}

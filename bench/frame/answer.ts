import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import type { Usage } from './subject.ts';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: never;
}

/** The other side of a Subject: does what it is asked, ends when nobody asks any more. */
export function answer(abilities: Readonly<Record<string, (argument: never) => unknown>>): void {
  const all: typeof abilities = { usage, beginProfile, endProfile, ...abilities };
  const reply = async ({ id, name, argument }: Question) => {
    try {
      process.send?.({ id, value: await all[name]?.(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on('message', (question: Question) => void reply(question));
  process.on('disconnect', () => process.exit(0));
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function usage(): Usage {
  const used = cpuSeconds();
  // Also gives back what is kept for new objects: up to 100 MB, which a process takes once however many it serves.
  (globalThis as { gc?: (options: object) => void }).gc?.({
    ...{ type: 'major', execution: 'sync', flavor: 'last-resort' },
  });
  return { cpuSeconds: used, rssBytes: process.memoryUsage().rss };
}

let session: Session | null = null;

async function beginProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 300 });
  await session.post('Profiler.start');
}

async function endProfile(file: string): Promise<void> {
  if (!session) return;
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
  session.disconnect();
}

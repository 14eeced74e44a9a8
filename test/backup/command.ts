import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Starts the real `npm run backup` or `npm run restore`; nothing of this process's environment about databases reaches it. */
export function startCommand(
  name: 'backup' | 'restore',
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): { readonly process: ChildProcess; readonly exit: Promise<Outcome> } {
  const program = fileURLToPath(new URL(`../../src/cli/${name}.ts`, import.meta.url));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    ...{ env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exit = once(child, 'close').then(([code]) => ({ code: Number(code), output }));
  return { process: child, exit };
}

export const runCommand = (...command: Parameters<typeof startCommand>): Promise<Outcome> =>
  startCommand(...command).exit;

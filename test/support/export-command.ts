import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs the real `npm run export` command in a folder; `exit` gives its code and everything it printed. */
export function startExport(
  folder: string,
  args: readonly string[],
): { readonly process: ChildProcess; readonly exit: Promise<{ readonly code: number; readonly output: string }> } {
  const program = fileURLToPath(new URL('../../src/cli/export.ts', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const exit = once(child, 'close').then(([code]) => ({ code: Number(code), output }));
  return { process: child, exit };
}

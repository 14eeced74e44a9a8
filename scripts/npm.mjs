import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Runs npm: its exit code. What it prints goes to `out`, standard error by default, so that a task's own output stays clean. */
export function npm(args, { cwd, out = 2 }) {
  const script = process.env.npm_execpath; // set when npm started us; saves looking for npm.cmd on Windows
  const viaScript = script?.endsWith('.js') && existsSync(script);
  const stdio = ['ignore', out, 2];
  const child = viaScript
    ? spawn(process.execPath, [script, ...args], { cwd, stdio })
    : spawn('npm', args, { cwd, stdio, shell: process.platform === 'win32' });
  return new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(new Error(`npm does not start (${error.message}); install npm, it comes with Node.`)),
    );
    child.on('exit', (code, signal) => resolve(code ?? signal));
  });
}

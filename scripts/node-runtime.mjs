import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const NEEDED_MAJOR = 24;

/**
 * The path of a Node that runs this project: the one its optional dependencies bring, else the one running now.
 * Throws, saying what to install, when neither is new enough.
 */
export function findNode(root) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const bundled = join(
    root,
    'node_modules',
    `node-${platform}-${process.arch}`,
    'bin',
    platform === 'win' ? 'node.exe' : 'node',
  );
  if (existsSync(bundled) && starts(bundled)) return bundled;
  if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) return process.execPath;
  throw new Error(
    `Node ${NEEDED_MAJOR} or newer is needed, this is ${process.version}, and the project brings none for ` +
      `${process.platform}-${process.arch}${existsSync(bundled) ? ' that starts here (it needs glibc)' : ''}. ` +
      `Install Node ${NEEDED_MAJOR} from https://nodejs.org or with your package manager and run the command again.`,
  );
}

/** A package can be there and useless: built for glibc on a musl system, or its execute bit lost. */
const starts = (binary) => spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0;

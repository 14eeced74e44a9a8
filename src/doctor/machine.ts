import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What the machine is; the seam tests come in through. */
export interface Machine {
  /** E.g. "24.21.0". */
  readonly nodeVersion: string;
  /** Bytes this process may have at most: of the machine, or of its container. */
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** How many files the process may have open; null where the system does not say. */
  readonly openFiles: number | null;
}

const OLDEST_NODE = 24;
const MB = 1024 * 1024;
/** The embedded database takes 500 MB, the server 200 to 400. */
const LEAST_MEMORY = 512 * MB;
const ENOUGH_MEMORY = 1_024 * MB;
/** Database, exchanges, logs, spool, workers. */
const OWN_FILES = 256;
/** Below it not even a quiet server works. */
const LEAST_FILES = 512;

export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  return {
    nodeVersion: process.versions.node,
    // Without a limit the system answers 0 or a number beyond any machine.
    memoryBytes: constrained > 0 ? Math.min(constrained, totalmem()) : totalmem(),
    freeMemoryBytes: Math.min(freemem(), process.availableMemory()),
    openFiles: openFileLimit(),
  };
}

/** Node raises what it may open to the hard limit when it starts. */
function openFileLimit(): number | null {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return found === undefined ? null : found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found);
  } catch {
    return null; // not Linux
  }
}

export const checkMachine = (machine: Machine, connections: number): readonly Finding[] => [
  nodeVersion(machine),
  memory(machine),
  openFiles(machine, connections),
];

function nodeVersion({ nodeVersion: version }: Machine): Finding {
  if (Number.parseInt(version, 10) >= OLDEST_NODE) return ok('node-version', `Node ${version}`);
  const advice = `Start by npm run, which brings Node ${OLDEST_NODE} along where there is one for the system, or install it.`;
  return fail('node-version', `Node ${version}; ${OLDEST_NODE} or newer is needed`, advice);
}

function memory({ memoryBytes, freeMemoryBytes }: Machine): Finding {
  const found = `${megabytes(memoryBytes)} MB, ${megabytes(freeMemoryBytes)} MB of them free`;
  const advice = `Give it ${ENOUGH_MEMORY / MB} MB or more; the embedded database alone takes 500 MB.`;
  if (memoryBytes < LEAST_MEMORY) return fail('memory', found, advice);
  return memoryBytes < ENOUGH_MEMORY ? warn('memory', found, advice) : ok('memory', found);
}

function openFiles({ openFiles: files }: Machine, connections: number): Finding {
  if (files === null) return ok('open-files', 'this system has no limit of its own');
  const needed = connections + OWN_FILES;
  const found = `${files} may be open, ${needed} are needed for limits.connections`;
  if (files >= needed) return ok('open-files', found);
  const advice = `Raise it (ulimit -n, LimitNOFILE= of systemd, ulimits of a container) to ${needed}, or lower limits.connections to ${Math.max(1, files - OWN_FILES)}.`;
  return files < LEAST_FILES ? fail('open-files', found, advice) : warn('open-files', found, advice);
}

const megabytes = (bytes: number): number => Math.floor(bytes / MB);

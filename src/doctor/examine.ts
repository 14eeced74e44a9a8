import type { Config } from '../config/config.ts';
import type { isOurs } from './answering.ts';
import { checkBackups } from './backups.ts';
import { checkDatabase } from './database.ts';
import { checkDirectory, checkDisk, checkOwner, type FreeBytes } from './directories.ts';
import { checkExchange, type Reach } from './exchanges.ts';
import { CHECKS, type Check, type Finding, ok } from './finding.ts';
import { checkCertificate, checkPort } from './listening.ts';
import { checkMachine, type Machine } from './machine.ts';
import { checkTokens } from './tokens.ts';

/** Everything outside that is asked, so that tests can make each of it fail. */
export interface Patient extends Reach {
  readonly machine: Machine;
  readonly freeBytes: FreeBytes;
  /** Whether a server of ours answers at an address. */
  readonly answers: typeof isOurs;
}

const MB = 1_000_000;
/** Of logs a busy month; of backups at least. */
const LOGS_BYTES = 200 * MB;
const BACKUPS_BYTES = 1_000 * MB;

/** Looks at everything a server with this configuration needs, changes nothing, and tells it in the order of `CHECKS`. */
export async function examine(config: Config, patient: Patient): Promise<readonly Finding[]> {
  const { clock, machine } = patient;
  const { data_dir: dataDir, logging, backup, limits, database } = config;
  const [directories, owner, disk, port, certificate, stored, backups, ...exchanges] = await Promise.all([
    Promise.all([
      checkDirectory('data-directory', dataDir, { isPrivate: true, setting: '--data-dir' }),
      ...(logging.file_output
        ? [
            checkDirectory('log-directory', logging.log_directory, {
              isPrivate: false,
              setting: 'logging.log_directory',
            }),
          ]
        : []),
    ]),
    checkOwner(dataDir, clock),
    checkDisk(
      [
        { of: 'data', directory: dataDir, wanted: database.spool_limit_mb * MB },
        ...(logging.file_output ? [{ of: 'logs', directory: logging.log_directory, wanted: LOGS_BYTES }] : []),
        ...(backup.every_hours === null ? [] : [{ of: 'backups', directory: backup.directory, wanted: BACKUPS_BYTES }]),
      ],
      patient.freeBytes,
    ),
    checkPort(config, patient.answers),
    checkCertificate(config, clock),
    checkDatabase(config, clock),
    checkBackups(config, clock),
    ...config.exchanges.map((settings) => checkExchange(settings, patient)),
  ]);
  const all = [
    ok('configuration', `exchanges: ${config.exchanges.length}, pairs: ${pairsOf(config)}`),
    ...checkMachine(machine, limits.connections),
    ...directories,
    ...checkTokens(config, clock),
    ...[owner, ...disk, port, ...certificate, ...stored, ...backups, ...exchanges.flat()],
  ];
  return all.toSorted((a, b) => ORDER.indexOf(a.check) - ORDER.indexOf(b.check));
}

const ORDER = Object.keys(CHECKS) as readonly Check[];

const pairsOf = ({ exchanges }: Config): number =>
  exchanges.flatMap(({ trading_pairs: pairs }) => pairs.filter(({ enabled }) => enabled)).length;

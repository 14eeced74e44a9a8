import { webSocketOpener } from '../collectors/connection/socket.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/problems.ts';
import { isOurs } from '../doctor/answering.ts';
import { freeBytes } from '../doctor/directories.ts';
import { examine, type Patient } from '../doctor/examine.ts';
import { type Finding, fail, type Level } from '../doctor/finding.ts';
import { thisMachine } from '../doctor/machine.ts';
import { LogText } from '../runtime/log-text.ts';
import { Outgoing } from '../runtime/outgoing.ts';
import { outgoingFetch } from '../runtime/outgoing-fetch.ts';
import { setTlsFloor } from '../runtime/tls-floor.ts';
import { VERSION } from '../runtime/version.ts';
import type { ClientSurroundings } from './client-command.ts';

export interface DoctorFlags {
  readonly json: boolean;
  /** Or what is wrong with it. */
  readonly config: Config | ConfigError;
}

const MARKS: Readonly<Record<Level, string>> = { ok: ' ok ', warn: 'WARN', fail: 'FAIL' };
const LONGEST = 1_000;

/** Returns the exit code: 0 when nothing fails, else 1. Whom it asks is no server of ours for sure: none gets our token. */
export async function runDoctor(
  { json, config }: DoctorFlags,
  { clock, print }: Pick<ClientSurroundings, 'clock' | 'print'>,
): Promise<number> {
  const findings = config instanceof ConfigError ? misconfigured(config) : await examined(config, clock);
  const worst = worstOf(findings);
  if (json) print(JSON.stringify({ version: VERSION, level: worst, findings }, null, 2));
  else for (const line of linesOf(findings)) print(line);
  return worst === 'fail' ? 1 : 0;
}

/** A driver's or an exchange's message may quote what it was given. */
async function examined(config: Config, clock: ClientSurroundings['clock']): Promise<readonly Finding[]> {
  setTlsFloor(config.tls.outgoing_min_version);
  const outgoing = new Outgoing(config.outgoing.allowed_networks);
  const around: Patient = {
    ...{ clock, machine: thisMachine(), freeBytes, answers: isOurs },
    ...{ openSocket: webSocketOpener(outgoing), fetch: outgoingFetch(outgoing) },
  };
  const text = new LogText(config.secrets);
  const findings = await examine(config, around);
  return findings.map((finding) => ({ ...finding, found: text.message(finding.found, LONGEST) }));
}

const misconfigured = ({ problems }: ConfigError): readonly Finding[] =>
  problems.map((problem) => fail('configuration', problem, 'Correct it; the rest is looked at then.'));

const worstOf = (findings: readonly Finding[]): Level =>
  (['fail', 'warn'] as const).find((level) => findings.some((finding) => finding.level === level)) ?? 'ok';

function linesOf(findings: readonly Finding[]): readonly string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, of, level, found, advice }) => [
    `${MARKS[level]}  ${check.padEnd(width)}  ${of === null ? '' : `${of}: `}${found}`,
    ...(advice === null ? [] : [`${' '.repeat(width + 8)}-> ${advice}`]),
  ]);
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  return [...lines, `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend.`];
}

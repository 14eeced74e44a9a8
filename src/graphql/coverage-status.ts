import {
  COVERAGE_EVIDENCE,
  COVERAGE_STATUSES,
  type CoverageEvidence,
  type CoverageStatus,
} from '../market/coverage.ts';
import { builder } from './builder.ts';

const STATUS_WORDS: Readonly<Record<CoverageStatus, string>> = {
  PROVEN: 'Everything the exchange made is stored.',
  UNPROVEN: 'What came is stored; nothing says whether more was made.',
  GAP: 'Something is missing and is, or will be, fetched.',
  BACKFILLED: 'Something was missing and was fetched.',
  UNFILLABLE: 'Something is missing for good; the cause says why.',
};

export const CoverageStatusEnum = builder.enumType('CoverageStatus', {
  description: 'What is known of a part of a stream.',
  values: described(COVERAGE_STATUSES, STATUS_WORDS),
});

const EVIDENCE_WORDS: Readonly<Record<CoverageEvidence, string>> = {
  TRADE_ID_CONTIGUITY: 'Trade ids without a hole.',
  SEQUENCE_CHAIN: 'Every message named the one before it.',
  REST_RECONCILED: "Compared with the exchange's own record.",
  CONNECTION_ONLY: 'At most the connection stood: proves nothing.',
};

export const CoverageEvidenceEnum = builder.enumType('CoverageEvidence', {
  description: 'What a status rests on, the strongest first.',
  values: described(COVERAGE_EVIDENCE, EVIDENCE_WORDS),
});

function described<Word extends string>(words: readonly Word[], meaning: Readonly<Record<Word, string>>) {
  return Object.fromEntries(words.map((word) => [word, { description: meaning[word] }])) as {
    readonly [W in Word]: { readonly description: string };
  };
}

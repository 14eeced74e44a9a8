/** The words of a benchmark: what is done, by whom, and what is to be reached. */

/** ours: what is judged. limit: the least the machine has to do for it. peer: what others do for the same. */
export type Role = 'ours' | 'limit' | 'peer';

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** What one turn of one contender measured, by metric. */
export type Figures = Readonly<Record<string, number>>;

export interface Turn {
  /** Where a CPU profile of the process under test goes; null: none is written. */
  readonly profile: string | null;
}

export interface Contender {
  readonly name: string;
  readonly role: Role;
  /** Does the work once, in processes of its own, and ends them. */
  run(turn: Turn): Promise<Figures>;
}

/** A ratio of ours to another: above 1 is better than it, whether the metric is a rate or a cost. Or a figure of ours alone. */
export type Goal =
  | { readonly metric: string; readonly against: 'limit' | 'best peer' | (string & {}); readonly atLeast: number }
  | { readonly metric: string; readonly atMost: number }
  | { readonly metric: string; readonly atLeast: number };

/** Where a row stands among rows that do the same at other sizes; the cost at each is its first metric. */
export interface Growth {
  /** What there is more of, in the plural, e.g. "subscribers". */
  readonly by: string;
  readonly size: number;
}

export interface Row {
  readonly what: string;
  /** What one turn does, in words. */
  readonly work: string;
  readonly metrics: readonly Metric[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly goals: readonly Goal[];
  readonly growth?: Growth;
  /** No round begins after this many seconds; the first always does. */
  readonly boundSeconds: number;
}

export interface Bench {
  readonly name: string;
  /** One line over its rows. */
  readonly title: string;
  /** `tiny`: seconds in all, to see that it runs; the figures mean nothing. */
  rows(size: 'real' | 'tiny'): readonly Row[];
  /** Ends what its turns have left for each other. */
  close?(): Promise<void>;
}

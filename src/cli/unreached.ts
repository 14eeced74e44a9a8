import { messageOf } from '../runtime/errors.ts';
import { tlsTroubleOf } from '../runtime/tls-trouble.ts';

/** Why a server of ours was not reached at `url`, and the way out, by what `fetch` threw. */
export function unreached(url: string, error: unknown): Error {
  const { origin } = new URL(url);
  const reason = rootOf(error);
  const text =
    tlsTroubleOf(reason, origin) ??
    `no server answers at ${origin} (${messageOf(reason)}); start one with \`npm start\``;
  return new Error(text, { cause: error });
}

/** What `fetch` says itself is no more than that it failed. */
export function rootOf(error: unknown): unknown {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  return reason;
}

/** Nothing in the scenarios waits longer than it says. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again and again until the answer is neither null nor false nor a failure. @throws {TimedOut} with the last failure as its cause. */
export async function until<T>(
  what: string,
  ms: number,
  ask: () => T | null | false | Promise<T | null | false>,
  everyMs = 50,
): Promise<T> {
  const deadline = performance.now() + ms;
  let cause: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    await sleep(everyMs);
  } while (performance.now() < deadline);
  throw new TimedOut(`${what}: not within ${ms} ms${cause === undefined ? '' : ` (${String(cause)})`}`, { cause });
}

/** As `until`, but tells whether instead of throwing. */
export async function within(ms: number, ask: () => boolean | Promise<boolean>, everyMs = 50): Promise<boolean> {
  try {
    return await until('', ms, ask, everyMs);
  } catch {
    return false;
  }
}

import type { ServerResponse } from 'node:http';

/** Calls once the response is sent or cut, at once where it is already: its client may have left while something was awaited. */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}

import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Asks on one connection, which is kept open between questions. */
export class KeptConnection implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  begin(url: string, options: RequestOptions = {}): ClientRequest {
    return request(url, { agent: this.#agent, ...options });
  }

  get(url: string) {
    return answerTo(this.begin(url).end());
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

export async function answerTo(asked: ClientRequest) {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response), connection: response.headers.connection };
}

import { request } from 'node:http';
import type { Place } from './places.ts';

/** What is answered over HTTP; of a stream that has begun, that. */
export const beginningOf = (server: string, operation: Place['operation'], document: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const accept = operation === 'subscription' ? 'text/event-stream' : 'application/json';
    const headers = { 'content-type': 'application/json', accept };
    const outgoing = request(`${server}/graphql`, { method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      const done = () => {
        resolve(text.startsWith(':') && !text.includes('data:') ? '{"data":"a stream"}' : text);
        outgoing.destroy();
      };
      response.setEncoding('utf8').on('end', done).on('error', reject);
      response.on('data', (chunk: string) => {
        text += chunk;
        if (accept === 'text/event-stream' && response.statusCode === 200) done();
      });
    });
    outgoing.on('error', reject).end(JSON.stringify({ query: document }));
  });

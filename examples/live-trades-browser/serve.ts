/**
 * Serves index.html, a page with live trades in plain JavaScript.
 *
 *   npx node examples/live-trades-browser/serve.ts
 *
 * The page comes from another origin than the API, so the API has to allow it:
 *
 *   ALLOWED_ORIGINS=http://127.0.0.1:8080 npm run demo
 *
 * PORT is where the page is served, API the server it asks (http://127.0.0.1:4000).
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const { PORT = '8080', API = 'http://127.0.0.1:4000' } = process.env;
const page = readFileSync(new URL('index.html', import.meta.url), 'utf8').replaceAll('http://127.0.0.1:4000', API);

const server = createServer((request, response) => {
  const found = request.url?.split('?')[0] === '/';
  response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' }).end(found ? page : 'Not found');
});
server.listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
console.log(`Live trades on http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

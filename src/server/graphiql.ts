import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { TABS } from './graphiql-tabs.ts';

/** Serves GraphiQL and everything it needs from here, so that it works without internet. */
export interface GraphiQL {
  /** The page itself. */
  page(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** One of its assets; false when the path is none. */
  serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

const ROOT = '/graphiql';
const OPTIONS = {
  title: 'TCP Dashboard API',
  // What the editor of headers holds, such as a token, goes with these; a browser sends no header with a WebSocket.
  subscriptionsProtocol: 'SSE',
  defaultTabs: TABS,
  shouldPersistHeaders: false,
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${OPTIONS.title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${ROOT}/app.css">
<style>.graphiql-tab { transform: none !important; } /* its animation moves a tab away under the click that opens it */</style>
</head>
<body id="body" class="no-focus-outline">
<noscript>GraphiQL needs JavaScript. The API itself does not: see <a href="/">here</a>.</noscript>
<div id="root">Loading GraphiQL…</div>
<script>
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => '${ROOT}/' + label + '.js' };
</script>
<script src="${ROOT}/app.js"></script>
<script>YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), ${JSON.stringify(OPTIONS)});</script>
</body>
</html>
`;

/** Asset path to the export of the package that holds its text. */
const ASSETS: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  '/app.js': { name: 'js', type: 'text/javascript' },
  '/app.css': { name: 'css', type: 'text/css' },
  '/editorWorkerService.js': { name: 'editorWorkerService', type: 'text/javascript' },
  '/json.js': { name: 'jsonWorker', type: 'text/javascript' },
  '/graphql.js': { name: 'graphqlWorker', type: 'text/javascript' },
};

interface Asset {
  readonly etag: string;
  readonly type: string;
  readonly body: Readonly<Record<'br' | 'gzip', Promise<Buffer>>>;
}

export function graphiql(): GraphiQL {
  const assets = new Map<string, Promise<Asset>>();
  const page = pack(PAGE, 'text/html');
  return {
    page: (request, response) => send(page, request, response, 'no-cache'),
    async serve(path, request, response) {
      const name = path.startsWith(ROOT) ? path.slice(ROOT.length) : '';
      const source = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
      if (!source) return false;
      // Read and packed on first use: 9 MB that a server without visitors need not hold.
      const loading = assets.get(path) ?? load(source.name).then((text) => pack(text, source.type));
      assets.set(path, loading);
      await send(await loading, request, response, 'no-cache');
      return true;
    },
  };
}

async function load(name: string): Promise<string> {
  // The package's own door renders one page of 9 MB; the parts behind it can be cached apart.
  const parts: Record<string, string> = await import(
    import.meta.resolve('@graphql-yoga/render-graphiql').replace(/index\.js$/, 'graphiql.js')
  );
  return parts[name] ?? '';
}

function pack(text: string, type: string): Asset {
  const packers = {
    br: () => promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    gzip: () => promisify(gzip)(text),
  };
  const packed: { br?: Promise<Buffer>; gzip?: Promise<Buffer> } = {};
  return {
    etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 16)}"`,
    type,
    body: {
      get br() {
        packed.br ??= packers.br();
        return packed.br;
      },
      get gzip() {
        packed.gzip ??= packers.gzip();
        return packed.gzip;
      },
    },
  };
}

async function send(
  { etag, type, body }: Asset,
  request: IncomingMessage,
  response: ServerResponse,
  caching: string,
): Promise<void> {
  response.setHeader('etag', etag);
  response.setHeader('cache-control', caching);
  response.setHeader('vary', 'accept-encoding, origin');
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
  const encoding = /\bbr\b/.test(String(request.headers['accept-encoding'])) ? 'br' : 'gzip';
  const bytes = await body[encoding];
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-encoding': encoding,
    'content-length': bytes.length,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

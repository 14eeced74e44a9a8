import { readFile } from 'node:fs/promises';

/** What of the page at "/" depends on who reads it, and from where. */
interface Visit {
  /** The origin the reader used, e.g. "https://10.0.0.5:4000". */
  readonly url: string;
  readonly needsToken: boolean;
  readonly hasGraphiql: boolean;
}

export type LandingPage = (visit: Visit) => string;

const TOKEN = ` -H "authorization: Bearer $TCPD_TOKEN"`;
const NO_GRAPHIQL = 'GraphiQL is off where tokens are needed; the setting <code>access.graphiql</code> turns it on';

/** Reads the page once; what it shows to copy works for whoever copies it. */
export async function openLandingPage(): Promise<LandingPage> {
  const template = await readFile(new URL('landing.html', import.meta.url), 'utf8');
  return ({ url, needsToken, hasGraphiql }) =>
    template
      .replace(/\{\{graphiql: (.*)\}\}/, (_all, link: string) => (hasGraphiql ? link : NO_GRAPHIQL))
      .replaceAll('{{url}}', url)
      .replaceAll('{{token}}', needsToken ? TOKEN : '');
}

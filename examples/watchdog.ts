/**
 * Looks at all collectors again and again, and restarts whatever stays unhealthy; a line on standard output says why.
 *
 *   npx node examples/watchdog.ts
 *
 * A collector that was stopped on purpose counts as healthy and stays stopped.
 * The server is GRAPHQL_URL, http://127.0.0.1:4000/graphql without it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.ts';
import { graphql } from './generated/gql.ts';

const Collectors = graphql(`
  query Collectors {
    collectors {
      name
      health {
        isHealthy
        issues
      }
    }
  }
`);

const Restart = graphql(`
  mutation Restart($name: String!) {
    restartCollector(input: { name: $name }) {
      collector {
        state
      }
      userErrors {
        code
        message
      }
    }
  }
`);

const { GRAPHQL_URL = 'http://127.0.0.1:4000/graphql', EVERY_SECONDS = '10', PATIENCE = '3' } = process.env;

/** How often in a row each was found unhealthy. The server mends most things itself, so it is given that many looks. */
const unhealthy = new Map<string, number>();

async function look() {
  const { collectors } = await ask(GRAPHQL_URL, Collectors, {});
  for (const { name, health } of collectors) {
    const looks = health.isHealthy ? 0 : (unhealthy.get(name) ?? 0) + 1;
    unhealthy.set(name, looks % Number(PATIENCE));
    if (looks < Number(PATIENCE)) continue;
    say(`restarting ${name}: ${health.issues.join('; ')}`);
    const { restartCollector } = await ask(GRAPHQL_URL, Restart, { name });
    for (const { code, message } of restartCollector.userErrors) say(`${name} was not restarted: ${code}: ${message}`);
    say(`${name} is ${restartCollector.collector?.state ?? 'gone'}`);
  }
}

const say = (line: string) => console.log(`${new Date().toISOString()} ${line}`);

for (;;) {
  await look().catch((error: Error) => say(`cannot look at ${GRAPHQL_URL}: ${error.message}`));
  await sleep(Number(EVERY_SECONDS) * 1_000);
}

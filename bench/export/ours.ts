/** The server as `npm start` runs it, without anything to collect. */
import { answer } from '../frame/answer.ts';
import { portOf, startServer } from '../frame/app.ts';

answer({
  open: async (databaseUrl: string) => portOf(await startServer(databaseUrl, [])),
  rss: () => process.memoryUsage.rss(),
});

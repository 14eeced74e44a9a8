import { registerHooks } from 'node:module';

/** Loaded ahead of a server, prints what it loads of OpenTelemetry; the API alone, which does nothing, comes with prom-client. */
registerHooks({
  load: (url, context, next) => {
    const [, name] = /node_modules\/(@opentelemetry\/[^/]+)/.exec(url) ?? [];
    if (name !== undefined && name !== '@opentelemetry/api') console.log(`loads ${name}`);
    return next(url, context);
  },
});

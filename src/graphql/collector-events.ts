import type { CollectorEvent } from '../collectors/collector-status.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { CollectorStateEnum } from './collector.ts';
import { type Queued, queueEvents } from './event-queue.ts';

/** Of one client: collectors change state a few times a minute, so only a client that stopped reading fills it. */
const QUEUE_CAPACITY = 1000;

const EventType = builder.enumType('CollectorEventType', {
  description: 'What happened to a collector.',
  values: {
    STATE_CHANGED: { description: 'It went into another state.' },
    HEALTH_CHANGED: { description: 'It became healthy or unhealthy.' },
    ERROR: { description: 'It gave up; `message` says why.' },
    ADDED: { description: 'It was added.' },
    REMOVED: { description: 'It was removed; its data stays.' },
  } as const satisfies Record<CollectorEvent['type'], unknown>,
});

const CollectorEventType = builder.objectRef<Queued<CollectorEvent>>('CollectorEvent').implement({
  description: 'Something that happened to a collector.',
  fields: (t) => ({
    collector: t.string({
      description: 'Name of the collector, such as "okx:BTC-USDT".',
      resolve: ({ value }) => value.collector,
    }),
    at: t.field({ type: 'DateTime', description: 'When.', resolve: ({ value }) => value.at }),
    type: t.field({ type: EventType, description: 'What.', resolve: ({ value }) => value.type }),
    state: t.field({
      type: CollectorStateEnum,
      description: 'Its state after it.',
      resolve: ({ value }) => value.state,
    }),
    message: t.string({ description: 'In words.', resolve: ({ value }) => value.message }),
    missed: t.int({
      description: 'Events dropped just before this one because the client was too slow; else 0.',
      resolve: ({ missed }) => missed,
    }),
  }),
});

builder.subscriptionField('collectorEvents', (t) =>
  t.field({
    type: CollectorEventType,
    description: 'What happens to the collectors, in order, from now on. Code: COLLECTOR_UNKNOWN.',
    args: { name: t.arg.string({ description: 'Only this collector; without it all.' }) },
    subscribe: (_root, { name }, { collectors, queues }) => {
      if (name != null && !collectors.getCollector(name))
        throw new AppError(
          'COLLECTOR_UNKNOWN',
          `There is no collector ${JSON.stringify(name.slice(0, 100))}; \`collectors\` lists them`,
        );
      return queueEvents<CollectorEvent>(
        { name: 'collector events', capacity: QUEUE_CAPACITY, registry: queues },
        (push) =>
          collectors.onEvent((event) => {
            if (name == null || event.collector === name) push(event);
          }),
      );
    },
    resolve: (event) => event,
  }),
);

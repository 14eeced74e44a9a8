import type { CollectorEvent } from '../collectors/collector-status.ts';
import { EventCursorCodec } from '../pipeline/events/event-cursor.ts';
import { type FollowedEvent, followEvents } from '../pipeline/events/event-subscription.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { CollectorStateEnum } from './collector.ts';
import { mapStream } from './map-stream.ts';
import { type Resumable, resumeAfter } from './resume.ts';

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

interface Told extends FollowedEvent<CollectorEvent>, Resumable {}

const CollectorEventType = builder.objectRef<Told>('CollectorEvent').implement({
  description: 'Something that happened to a collector.',
  fields: (t) => ({
    collector: t.string({
      description: 'Name of the collector, such as "okx:BTC-USDT".',
      resolve: ({ event }) => event.collector,
    }),
    // of an event that was read back it is text
    at: t.field({ type: 'DateTime', description: 'When.', resolve: ({ event }) => new Date(event.at) }),
    type: t.field({ type: EventType, description: 'What.', resolve: ({ event }) => event.type }),
    state: t.field({
      type: CollectorStateEnum,
      description: 'Its state after it.',
      resolve: ({ event }) => event.state,
    }),
    message: t.string({ description: 'In words.', resolve: ({ event }) => event.message }),
    cursor: t.field({
      type: 'Cursor',
      description: 'Resume with `after: <this>` and nothing is lost or repeated, also over a restart of the server.',
      resolve: (told) => told.resumeCursor(),
    }),
    missed: t.int({
      description: 'Events before this one that were no longer kept when the client read on; else 0.',
      resolve: ({ missed }) => missed,
    }),
  }),
});

builder.subscriptionField('collectorEvents', (t) =>
  t.field({
    type: CollectorEventType,
    description:
      'What happens to the collectors, in order, from now on; with `after` first what happened since that cursor. The newest 10,000 events ' +
      'are kept. Codes: COLLECTOR_UNKNOWN, CURSOR_INVALID, CURSOR_EXPIRED.',
    args: {
      name: t.arg.string({ description: 'Only this collector; without it all.' }),
      after: t.arg({
        type: 'Cursor',
        description: 'Continue after this cursor of the same subscription; without it from now on.',
      }),
    },
    subscribe: (_root, { name = null, after }, context) => {
      const { collectors, events, resume } = context;
      const from = resumeAfter(after, context);
      // One that was removed since is still heard of by those who come back.
      if (name !== null && from === null && !collectors.getCollector(name))
        throw new AppError(
          'COLLECTOR_UNKNOWN',
          `There is no collector ${JSON.stringify(name.slice(0, 100))}; \`collectors\` lists them`,
        );
      const cursors = new EventCursorCodec(events.id, JSON.stringify(['collectorEvents', name]));
      const start = from === null ? events.newest : cursors.decode(from);
      const stream = followEvents(events, start, ({ collector }) => name === null || collector === name);
      resume?.startsAt(cursors.encode(start));
      return mapStream(stream, (logged): Told => ({ ...logged, resumeCursor: () => cursors.encode(logged.number) }));
    },
    resolve: (event) => event,
  }),
);

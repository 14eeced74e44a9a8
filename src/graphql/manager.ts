import type { CollectorState } from '../collectors/collector-status.ts';
import { allCollectors } from './all-collectors.ts';
import { builder } from './builder.ts';
import { CollectorStateEnum, CollectorType, viewOf } from './collector.ts';
import type { CollectorControl } from './context.ts';

const StateCount = builder
  .objectRef<{ readonly state: CollectorState; readonly count: number }>('CollectorStateCount')
  .implement({
    description: 'How many collectors are in one state.',
    fields: (t) => ({
      state: t.expose('state', { type: CollectorStateEnum, description: 'The state.' }),
      count: t.exposeInt('count', { description: 'Collectors in it.' }),
    }),
  });

/** Every state, in the order of the enum, also those nobody is in. */
export const countByState = (control: CollectorControl) => {
  const { byState } = control.getStatus();
  return (Object.keys(byState) as CollectorState[]).map((state) => ({ state, count: byState[state] }));
};

export const byStateField = {
  type: [StateCount] as [typeof StateCount],
  description: 'Collectors by state, every state listed.',
};

export const ManagerType = builder.objectRef<CollectorControl>('CollectorManager').implement({
  description: 'All collectors together.',
  fields: (t) => ({
    isRunning: t.boolean({
      description: 'Whether collectors are supervised.',
      resolve: (control) => control.getStatus().isRunning,
    }),
    totalCollectors: t.int({
      description: 'How many there are.',
      resolve: (control) => control.getStatus().totalCollectors,
    }),
    byState: t.field({ ...byStateField, resolve: countByState }),
    collectors: t.field({
      type: [CollectorType],
      description: 'All of them, in the order they were added.',
      resolve: (control) => allCollectors(control).map(viewOf),
    }),
  }),
});

builder.queryField('manager', (t) =>
  t.field({
    type: ManagerType,
    description: 'All collectors together.',
    resolve: (_root, _args, { collectors }) => collectors,
  }),
);

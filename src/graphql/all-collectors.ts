import type { CollectorControl, ObservedCollector } from './context.ts';

/** Those there are, in the order they were added. */
export const allCollectors = (
  control: Pick<CollectorControl, 'listCollectors' | 'getCollector'>,
): readonly ObservedCollector[] => control.listCollectors().flatMap((name) => control.getCollector(name) ?? []);

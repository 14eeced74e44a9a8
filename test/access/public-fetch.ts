import { Outgoing } from '../../src/runtime/outgoing.ts';
import { outgoingFetch } from '../../src/runtime/outgoing-fetch.ts';

/** Reaches public addresses alone. */
export const publicFetch = outgoingFetch(new Outgoing());

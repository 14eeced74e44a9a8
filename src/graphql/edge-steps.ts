import { getNamedType, isObjectType } from 'graphql';
import type { FieldPlan, SelectionPlan } from './execution/plan.ts';

/** One field of a node. */
export interface Step<Write> {
  /** What stands before it, up to the value before. */
  readonly before: Uint8Array;
  readonly write: Write;
}

/** What stands behind the last field of an edge's node. */
export const EDGE_END = Buffer.from('}}');

/** How edges are written that are asked for their nodes alone, and those for nothing but fields that can be written at once. */
export class EdgeSteps<Write> {
  readonly #fields: Readonly<Record<string, Write>>;
  readonly #known = new WeakMap<SelectionPlan, readonly Step<Write>[] | null>();

  /** By the names of fields. Each writes what its resolver and its type would come to. */
  constructor(fields: Readonly<Record<string, Write>>) {
    this.#fields = fields;
  }

  /** Null where more is asked for; known once a selection. */
  of(selection: SelectionPlan): readonly Step<Write>[] | null {
    let steps = this.#known.get(selection);
    if (steps === undefined) {
      steps = this.#plan(selection);
      this.#known.set(selection, steps);
    }
    return steps;
  }

  #plan({ fields: [edgeField, ...others] }: SelectionPlan): readonly Step<Write>[] | null {
    const type = edgeField?.field.name === 'node' ? nodeType(edgeField) : null;
    if (!edgeField || !type || others.length > 0) return null;
    const steps: Step<Write>[] = [];
    for (const { field, textKey } of edgeField.selectionOf(type).fields) {
      const write = Object.hasOwn(this.#fields, field.name) ? this.#fields[field.name] : undefined;
      if (write === undefined) return null;
      steps.push({ before: Buffer.from((steps.length === 0 ? edgeField.textKey : '') + textKey), write });
    }
    return steps.length === 0 ? null : steps;
  }
}

const nodeType = ({ field }: FieldPlan) => {
  const type = getNamedType(field.type);
  return isObjectType(type) ? type : null;
};

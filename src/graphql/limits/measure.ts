import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What a selection set amounts to with every fragment in its place. */
export interface Measure {
  readonly depth: number;
  /** Of what is asked of the schema itself. */
  readonly introspectionDepth: number;
  readonly aliases: number;
  /** Fields of this level. */
  readonly fields: number;
  /** Fields and fragments of all levels. */
  readonly selections: number;
  /** How often one name of an answer is asked for side by side, at most, on any level: validation compares each with each. */
  readonly repeats: number;
  /** The same of this level, by name. */
  readonly names: ReadonlyMap<string, number>;
}

const NOTHING: Measure = {
  ...{ depth: 0, introspectionDepth: 0, aliases: 0, fields: 0, selections: 0, repeats: 0 },
  names: new Map(),
};
/** Counts stop here: fragments can multiply beyond what a number holds. */
const MOST = 1e9;

const together = (a: Measure, b: Measure, names: Map<string, number>): Measure => ({
  depth: Math.max(a.depth, b.depth),
  introspectionDepth: Math.max(a.introspectionDepth, b.introspectionDepth),
  aliases: Math.min(MOST, a.aliases + b.aliases),
  fields: Math.min(MOST, a.fields + b.fields),
  selections: Math.min(MOST, a.selections + b.selections),
  repeats: Math.max(a.repeats, b.repeats, ...[...b.names.keys()].map((name) => names.get(name) ?? 0)),
  names,
});

/** Measures selection sets of one document; each fragment once, so the work grows with the document and not with what it means. */
export function measurer(document: DocumentNode): (selectionSet: SelectionSetNode) => Measure {
  const fragments = fragmentsOf(document);
  const known = new Map<string, Measure>();

  const measure = ({ selections }: SelectionSetNode): Measure => {
    const names = new Map<string, number>();
    let all = NOTHING;
    for (const selection of selections) {
      const next = one(selection);
      for (const [name, count] of next.names) names.set(name, Math.min(MOST, (names.get(name) ?? 0) + count));
      all = together(all, next, names);
    }
    return all;
  };

  const one = (selection: SelectionNode): Measure => {
    if (selection.kind === Kind.INLINE_FRAGMENT) return counted(measure(selection.selectionSet));
    if (selection.kind === Kind.FRAGMENT_SPREAD) return counted(ofFragment(selection.name.value));
    const { name, alias, selectionSet } = selection;
    const inner = selectionSet ? measure(selectionSet) : NOTHING;
    const isIntrospection = name.value === '__schema' || name.value === '__type';
    const depth = 1 + Math.max(inner.depth, isIntrospection ? inner.introspectionDepth : 0);
    return {
      depth: isIntrospection ? 0 : depth,
      introspectionDepth: isIntrospection ? depth : inner.introspectionDepth,
      aliases: inner.aliases + (alias ? 1 : 0),
      fields: 1,
      selections: inner.selections + 1,
      repeats: inner.repeats,
      names: new Map([[alias?.value ?? name.value, 1]]),
    };
  };

  const ofFragment = (name: string): Measure => {
    const measured = known.get(name);
    if (measured) return measured;
    known.set(name, NOTHING); // one that spreads itself is told of by validation
    const found = fragments.get(name);
    const made = found ? measure(found.selectionSet) : NOTHING;
    known.set(name, made);
    return made;
  };

  return measure;
}

const counted = (measure: Measure): Measure => ({ ...measure, selections: measure.selections + 1 });

function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  return fragments;
}

/** As they stand in the document. */
export function countDirectives(document: DocumentNode): number {
  let count = 0;
  visit(document, {
    Directive: () => {
      count += 1;
    },
  });
  return count;
}

/** How often an operation names the field it names most often at its root; that field. */
export function mostRepeated(document: DocumentNode, selectionSet: SelectionSetNode): readonly [string, number] {
  const fragments = fragmentsOf(document);
  const counts = new Map<string, number>();
  const within: string[] = [];
  const count = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) count(selection.selectionSet);
      else countFragment(selection.name.value);
    }
  };
  const countFragment = (name: string): void => {
    const fragment = fragments.get(name);
    if (!fragment || within.includes(name)) return;
    within.push(name);
    count(fragment.selectionSet);
    within.pop();
  };
  count(selectionSet);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
}

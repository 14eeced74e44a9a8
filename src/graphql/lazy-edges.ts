import type { Edge } from './connection.ts';
import type { NodeList } from './context.ts';
import type { SelectionPlan } from './execution/plan.ts';
import type { WritesItself } from './execution/text-output.ts';

/** Writes the edges of nodes with commas between them; false, and nothing, where it cannot write all that is selected of them. */
export type WriteEdges<Nodes> = (nodes: Nodes, selection: SelectionPlan) => boolean;

/** Edges that are only made for whoever asks for them; a page is written as it is where it can be. */
export class LazyEdges<Node, Nodes extends NodeList<Node>> implements NodeList<Edge<Node>>, WritesItself {
  readonly #nodes: Nodes;
  readonly #cursorOf: (node: Node) => string;
  readonly #write: WriteEdges<Nodes>;

  constructor(nodes: Nodes, cursorOf: (node: Node) => string, write: WriteEdges<Nodes>) {
    this.#nodes = nodes;
    this.#cursorOf = cursorOf;
    this.#write = write;
  }

  at(index: number): Edge<Node> | undefined {
    const node = this.#nodes.at(index);
    return node && this.#edgeOf(node);
  }

  *[Symbol.iterator](): Generator<Edge<Node>, void> {
    for (const node of this.#nodes) yield this.#edgeOf(node);
  }

  writeItems(selection: SelectionPlan): boolean {
    return this.#write(this.#nodes, selection);
  }

  #edgeOf(node: Node): Edge<Node> {
    return { node, cursor: () => this.#cursorOf(node) };
  }
}

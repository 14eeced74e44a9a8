import { readFile } from 'node:fs/promises';
import { GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AppError, messageOf } from '../runtime/errors.ts';

/** Documents by their id, and each by itself: clients may send either in place of a document. */
export type TrustedDocuments = ReadonlyMap<string, string>;

/**
 * Reads a JSON object of ids and documents.
 * @throws {AppError} CONFIG_INVALID for a file that is none, and for a document the schema does not know.
 */
export async function readTrustedDocuments(path: string, schema: GraphQLSchema): Promise<TrustedDocuments> {
  const entries = Object.entries(await readObject(path));
  const documents = new Map<string, string>();
  for (const [id, document] of entries) {
    const problem = typeof document === 'string' ? problemOf(schema, document) : 'it is no text';
    if (typeof document !== 'string' || problem !== null)
      throw new AppError('CONFIG_INVALID', `server.trusted_documents: "${id}" is no document of this API: ${problem}`);
    documents.set(id, document).set(document, document);
  }
  return documents;
}

async function readObject(path: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new AppError('CONFIG_INVALID', `server.trusted_documents cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw new AppError('CONFIG_INVALID', 'server.trusted_documents should hold one JSON object, { "id": "document" }');
}

function problemOf(schema: GraphQLSchema, text: string): string | null {
  try {
    return validate(schema, parse(text))[0]?.message ?? null;
  } catch (error) {
    return messageOf(error);
  }
}

const DOCUMENT_NOT_TRUSTED = 'DOCUMENT_NOT_TRUSTED';

interface TrustPorts {
  readonly documents: TrustedDocuments;
  /** Both are given the context of the operation. */
  readonly asksFreely: (context: unknown) => boolean;
  readonly refused: (context: unknown, code: string) => void;
}

/** Takes nothing but trusted documents from whoever may not ask freely. */
export const trusting = ({ documents, asksFreely, refused }: TrustPorts): Plugin => ({
  onParse: ({ params: { source }, context, parseFn, setParseFn }) => {
    const document = documents.get(String(source));
    if (document !== undefined) return setParseFn((_source, options) => parseFn(document, options));
    if (asksFreely(context)) return;
    refused(context, DOCUMENT_NOT_TRUSTED);
    throw new GraphQLError('Only documents this server knows are taken: send one of them, or its id, as `query`', {
      extensions: { code: DOCUMENT_NOT_TRUSTED, http: { status: 403 } },
    });
  },
});

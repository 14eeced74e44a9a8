import type { ServerResponse } from 'node:http';

/** Answers with text and ends. */
export function reply(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** Refuses a request before GraphQL sees it, in the shape of a GraphQL error. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  reply(response, status, 'application/json', errorBody(code, message), headers);
}

export const errorBody = (code: string, message: string): string => errorsBody({ message, extensions: { code } });

/** Of what failed inside: the log has the rest beside the same id. */
export const unexpectedBody = (correlationId: string): string =>
  errorsBody({ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR', correlationId } });

const errorsBody = (error: object): string => JSON.stringify({ errors: [error] });

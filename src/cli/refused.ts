/** An error as our server answers it. */
interface Refused {
  readonly message: string;
  readonly extensions?: { readonly code?: string };
}

/** In words, for whoever runs a command; where a token is wanted, how he gives it. */
export function refusedText({ message, extensions: { code } = {} }: Refused): string {
  const text = code === undefined ? message : `${code}: ${message}`;
  return code === 'UNAUTHENTICATED' ? `${text}. Set TCPD_TOKEN to a token` : text;
}

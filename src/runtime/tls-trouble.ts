import tls from 'node:tls';

const UNKNOWN_AUTHORITY =
  'its certificate is vouched for by nobody this machine trusts; if it is one of your own, name its authority in NODE_EXTRA_CA_CERTS';
const oldVersion = () =>
  `it does not speak ${tls.DEFAULT_MIN_VERSION} or newer; tls.outgoing_min_version says how old a version is taken`;

/** What is wrong with the other side, and the way out, by the code of the error. */
const TROUBLES: Readonly<Record<string, () => string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: () => UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: () =>
    'its certificate is for other names; correct the URL, or find out who answers in its place',
  CERT_HAS_EXPIRED: () => 'its certificate has expired; wait for its owner, or correct the clock of this machine',
  CERT_NOT_YET_VALID: () => 'its certificate is not valid yet; correct the clock of this machine',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldVersion,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldVersion,
};

/** What OpenSSL calls a version that is too old, where Node has no word for it: the other side's alert, and our own refusal. */
const OLD_VERSION = /:error:0A00(?:042E|0102):/;

/** In words, why a connection to a host could not be trusted; null for any other trouble. */
export function tlsTroubleOf(error: unknown, host: string): string | null {
  const { code = '', message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
  const isOld = code === 'EPROTO' && OLD_VERSION.test(message);
  const trouble = isOld ? oldVersion : Object.hasOwn(TROUBLES, code) ? TROUBLES[code] : undefined;
  return trouble ? `Nothing is sent to ${host}: ${trouble()}` : null;
}

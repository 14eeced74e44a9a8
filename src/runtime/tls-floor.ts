import tls from 'node:tls';

export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Connections of this process to others use this version of TLS or a newer one; certificates are always verified. */
export function setTlsFloor(version: (typeof TLS_VERSIONS)[number]): void {
  tls.DEFAULT_MIN_VERSION = version;
}

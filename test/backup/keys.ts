import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { BackupKeys } from '../../src/backup/keys.ts';
import { Secret } from '../../src/runtime/secret.ts';

/** A key pair of age of its own. */
export async function newKeys(): Promise<BackupKeys> {
  const identity = await generateX25519Identity();
  return { recipients: [await identityToRecipient(identity)], passphrase: null, identity: new Secret(identity) };
}

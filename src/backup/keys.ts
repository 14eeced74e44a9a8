import { Decrypter, Encrypter } from 'age-encryption';
import { AppError } from '../runtime/errors.ts';
import type { Secret } from '../runtime/secret.ts';

/** What backups are encrypted with (age): recipients if there are any, else the passphrase. Whatever is there opens old ones. */
export interface BackupKeys {
  readonly recipients: readonly string[];
  readonly passphrase: Secret | null;
  /** Lines of `AGE-SECRET-KEY-1...`, as in a key file of age. */
  readonly identity: Secret | null;
}

/** @throws {AppError} CONFIG_INVALID when there is nothing to encrypt with, or it is no key. */
export function encrypterOf({ recipients, passphrase }: BackupKeys): Encrypter {
  const encrypter = new Encrypter();
  if (recipients.length === 0 && passphrase === null)
    throw invalid(
      'is needed to encrypt a backup: set BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE, or name recipients in backup.recipients',
    );
  if (recipients.length === 0 && passphrase !== null) encrypter.setPassphrase(passphrase.reveal());
  for (const [index, recipient] of recipients.entries()) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw invalid(`is not in backup.recipients[${index}]: give what age-keygen prints as public key, age1...`, error);
    }
  }
  return encrypter;
}

/** @throws {AppError} CONFIG_INVALID when there is nothing to decrypt with, or it is no key. */
export function decrypterOf({ passphrase, identity }: BackupKeys): Decrypter {
  if (passphrase === null && identity === null)
    throw invalid(
      'is needed to open a backup: set BACKUP_IDENTITY or BACKUP_IDENTITY_FILE for one made for a recipient, BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE for any other',
    );
  const decrypter = new Decrypter();
  if (passphrase !== null) decrypter.addPassphrase(passphrase.reveal());
  for (const line of identitiesOf(identity)) {
    try {
      decrypter.addIdentity(line);
    } catch {
      // Its message may quote what it could not read.
      throw invalid(
        'is not in BACKUP_IDENTITY: give a key file of age-keygen, AGE-SECRET-KEY-1...; its value is not shown',
      );
    }
  }
  return decrypter;
}

/** Whether what is encrypted with these keys can be opened with them. */
export const canOpenOwn = ({ recipients, passphrase, identity }: BackupKeys): boolean =>
  recipients.length > 0 ? identity !== null : passphrase !== null;

const identitiesOf = (identity: Secret | null): readonly string[] =>
  identity
    ?.reveal()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#')) ?? [];

const invalid = (rule: string, cause?: unknown) => new AppError('CONFIG_INVALID', `A key ${rule}`, { cause });

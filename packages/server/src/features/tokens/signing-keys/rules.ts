// The safety rules for signing keys, and for the secret that encrypts them. A key that others could
// get or guess stops the start, because anyone who has the key can make tokens for every user.

import type { Jwk, JwkSet } from 'keystile/jwt'
import { countOf } from '../../../feature/count.ts'
import { findFileFaults } from '../../../feature/file-faults.ts'
import type { Fault, Rule } from '../../../feature/rule.ts'
import type { Situation } from '../../../feature/situation.ts'
import type { Wording } from '../../../feature/wording.ts'
import { isOnServer, type DatabaseSource } from '../../../storage/source.ts'
import { ownKeysOf } from './own-keys.ts'
import { canOpen } from './sealed-keys.ts'
import { findSealingSecretFaults, type SealingSecretFault } from './sealing-secret-faults.ts'
import type { IssuingAlgorithm } from './signing-key.ts'

export interface RuleOptions {
  readonly database?: DatabaseSource | undefined
  readonly key?: string | undefined
  readonly previousKey?: string | undefined
  readonly signingKey?: Jwk | JwkSet | undefined
  readonly signingAlgorithm?: IssuingAlgorithm | undefined
}

const dayMilliseconds = 24 * 60 * 60 * 1000

/** The safety rules for signing keys, in the order in which docs/reference/doctor.md lists them. */
export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'key-given',
    standard: 'ASVS 5.0 13.3.1',
    severity: 'stop',
    demand:
      'on PostgreSQL, `key` or `signingKey` must be set: Keystile must not store the key in the ' +
      'database, beside the signing keys that it encrypts',
    find({ options: { database, key, signingKey }, unread }, say) {
      const isGiven =
        key !== undefined ||
        signingKey !== undefined ||
        unread.has('key') ||
        unread.has('signingKey')
      if (!isOnServer(database) || isGiven) return []
      const message =
        'must be given on PostgreSQL: it encrypts the signing keys, ' +
        'so it must not be stored beside them'
      return [{ about: say.name('key'), message, fix: makeKey(say) }]
    },
  },
  {
    id: 'key-random',
    standard: 'ASVS 5.0 11.5.1',
    severity: 'stop',
    demand:
      'the key must be random, not a sentence: at least 32 characters, not in a regular order, ' +
      'at least 16 of them different. A hexadecimal key may have fewer different characters, but ' +
      'must have both digits and letters',
    find: (situation, say) => findSecretFaults(situation, 'weak', say),
  },
  {
    id: 'key-unknown',
    standard: 'RFC 8725 §3.5',
    severity: 'stop',
    demand:
      'the key must not come from a standard or tutorial, ' +
      'and must not be a URL, path, token or public key',
    find: (situation, say) => findSecretFaults(situation, 'known', say),
  },
  {
    id: 'signing-key-strong',
    standard: 'RFC 7518 §3.3',
    severity: 'stop',
    demand:
      'a signing key must be private and for a supported algorithm; the other keys of a JWK Set ' +
      'may be public; each kid must be unique; ' +
      'an RSA key must have 2048 bits or more, and e ≥ 65537',
    find({ options: { signingKey } }, say) {
      if (!signingKey) return []
      try {
        ownKeysOf(signingKey)
        return []
      } catch (error) {
        const fix =
          `give another private JWK, or leave ${say.name('signingKey')} out: ` +
          'Keystile then makes its own keys'
        return [
          {
            about: say.name('signingKey'),
            message: `must be another key: ${(error as Error).message}`,
            fix,
          },
        ]
      }
    },
  },
  {
    id: 'key-file-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'stop',
    demand:
      'keystile.key must be readable by its owner only, and belong to root or to the user of ' +
      'Keystile',
    find: ({ machine }) =>
      machine?.keyFile && findFileFaults([machine.keyFile], 'it decrypts all signing keys'),
  },
  {
    id: 'key-opens',
    standard: 'ASVS 5.0 11.2.2',
    severity: 'stop',
    demand: 'the key must decrypt the signing keys in the database',
    find: findUnopened,
  },
  {
    id: 'previous-key-needed',
    standard: 'ASVS 5.0 11.2.2',
    severity: 'warn',
    demand: '`previousKey` must be removed when nothing in the database is encrypted with it',
    find({ options: { previousKey }, machine }, say) {
      const { database } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable') return undefined
      if (previousKey === undefined || database.needsPreviousKey !== false) return []
      return [
        {
          about: say.name('previousKey'),
          message: 'is no longer needed: nothing in the database is encrypted with it',
          fix: `when no server uses it as its key, remove ${say.name('previousKey')}`,
        },
      ]
    },
  },
  {
    id: 'next-key-published',
    standard: 'ASVS 5.0 11.2.2',
    severity: 'warn',
    demand: 'Keystile must publish the next signing key at most a day after it is due',
    find({ options: { signingKey }, machine }) {
      const { database, now = 0 } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable') return undefined
      const { nextKeyDueAt = now } = database
      const days = Math.floor((now - nextKeyDueAt) / dayMilliseconds)
      if (signingKey !== undefined || days < 1) return []
      const overdue = countOf(days, 'day')
      return [
        {
          about: 'the next signing key',
          message: `must be published; it is overdue for ${overdue}`,
          fix: 'start a server: it publishes the next key within a minute',
        },
      ]
    },
  },
]

/**
 * Returns a fault if no configured secret can decrypt the newest stored signing key. The secrets
 * are `previousKey` and `key`. If `key` is not given, the secret in the file beside SQLite is used
 * instead. A missing file counts as a wrong secret, because the start would create the file with a
 * new secret. Returns undefined if this cannot be checked.
 */
function findUnopened(
  { options: { key, previousKey, signingKey }, unread, machine }: Situation<RuleOptions>,
  say: Wording,
): readonly Fault[] | undefined {
  const { database, keyFile } = machine ?? {}
  if (database === undefined || database.kind === 'unavailable') return undefined
  if (['key', 'previousKey', 'signingKey'].some((name) => unread.has(name))) return undefined

  const { sealedKey } = database
  // With `signingKey`, the server decrypts no stored key.
  if (signingKey !== undefined || sealedKey === undefined) return undefined

  const secret = key ?? keyFile?.secret
  const isFileMissing = key === undefined && keyFile === undefined && database.kind === 'sqlite'
  if (secret === undefined && !isFileMissing) return undefined

  const [first, ...others] = [secret, previousKey].filter((given) => given !== undefined)
  if (first !== undefined && canOpen(sealedKey, [first, ...others])) return []

  const file = keyFile?.path ?? 'keystile.key'
  const [about, fix] =
    key === undefined
      ? [`the file ${file}`, `restore ${file} from a backup`]
      : [say.name('key'), 'give the key that was used when the signing keys were made']
  return [
    {
      about,
      message:
        'must be the key that encrypted the signing keys in this database; ' +
        (isFileMissing ? 'it is missing' : 'it is a different one'),
      fix:
        `${fix}; if it is lost, give another ${say.name('key')} and a key of your own as ` +
        `${say.name('signingKey')}, or use another database`,
    },
  ]
}

/** Returns a fix that says how to make a key. */
function makeKey(say: Wording): string {
  return `make one with: openssl rand -base64 32, and ${say.provide('key')}`
}

/**
 * Returns the faults of the sealing secret. This is the setting `key` or, with SQLite, the content
 * of the key file next to the database file.
 */
function findSecretFaults(
  { options: { key }, machine }: Situation<RuleOptions>,
  kind: SealingSecretFault['kind'],
  say: Wording,
): readonly Fault[] {
  const about = key === undefined ? (machine?.keyFile?.path ?? '') : say.name('key')
  const secret = key ?? machine?.keyFile?.secret
  if (secret === undefined) return []
  return findSealingSecretFaults(secret)
    .filter((fault) => fault.kind === kind)
    .map(({ message }) => ({ about, message, fix: makeKey(say) }))
}

import type { Jwk } from 'keystile/jwt'
import type { Fault, Rule } from '../../feature/rule.ts'
import { openFiles, type Situation } from '../../feature/situation.ts'
import type { Wording } from '../../feature/wording.ts'
import { isOnServer, type DatabaseSource } from '../../storage/source.ts'
import { findSealingSecretFaults, type SealingSecretFault } from './sealing-secret.ts'
import { belongsElsewhere, signingKeyOf } from './signing-keys.ts'

export interface RuleOptions {
  readonly issuer?: string | undefined
  readonly database?: DatabaseSource | undefined
  readonly key?: string | undefined
  readonly signingKey?: Jwk | undefined
}

export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'key-given',
    standard: 'ASVS 5.0 13.3.1',
    severity: 'stop',
    demand:
      'on PostgreSQL there is a key, for what seals the signing keys does not lie beside them',
    find({ options: { database, key, signingKey }, unread }, say) {
      const isGiven =
        key !== undefined ||
        signingKey !== undefined ||
        unread.has('key') ||
        unread.has('signingKey')
      if (!isOnServer(database) || isGiven) return []
      const message =
        'must be given on PostgreSQL: signing keys are sealed under it, and it must not lie beside them'
      return [{ about: say.name('key'), message, mend: makeKey(say) }]
    },
  },
  {
    id: 'key-random',
    standard: 'ASVS 5.0 11.5.1',
    severity: 'stop',
    demand:
      'the key that seals signing keys is random: 32 characters, 16 of them different unless all are hex, in no order',
    find: (situation, say) => findSecretFaults(situation, 'weak', say),
  },
  {
    id: 'key-unknown',
    standard: 'RFC 8725 §3.5',
    severity: 'stop',
    demand:
      'the key that seals signing keys is none that is printed in standards, tutorials or templates, and no URL, path, token or public key',
    find: (situation, say) => findSecretFaults(situation, 'known', say),
  },
  {
    id: 'signing-key-strong',
    standard: 'RFC 7518 §3.3',
    severity: 'stop',
    demand:
      'a signing key is private, for an algorithm that is issued with, and RSA has 2048 bits and an exponent of 65537 or more',
    find({ options: { signingKey } }, say) {
      if (!signingKey) return []
      try {
        signingKeyOf(signingKey)
        return []
      } catch (error) {
        const mend = `give another private JWK, or leave ${say.name('signingKey')} out: Keystile then makes its own`
        return [
          {
            about: say.name('signingKey'),
            message: `must be another key: ${(error as Error).message}`,
            mend,
          },
        ]
      }
    },
  },
  {
    id: 'key-file-private',
    standard: 'ASVS 5.0 13.3.2',
    severity: 'stop',
    demand: 'keystile.key is its owner’s alone',
    find: ({ machine }) =>
      machine?.keyFile &&
      openFiles([machine.keyFile]).map(({ path }) => ({
        about: path,
        message: 'can be read by others; it opens all signing keys',
        mend: `chmod 600 ${path}`,
      })),
  },
  {
    id: 'issuer-stored',
    standard: 'RFC 8414 §3.3',
    severity: 'stop',
    demand: 'the database belongs to the issuer that is configured',
    find({ machine, options: { issuer } }, say) {
      const { database } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable' || issuer === undefined)
        return undefined
      if (database.issuer === undefined || database.issuer === issuer) return []
      return [
        {
          about: 'this database',
          message: belongsElsewhere(database.issuer, issuer),
          mend: `${say.set('issuer', database.issuer)}, or use another database`,
        },
      ]
    },
  },
]

function makeKey(say: Wording): string {
  return `make one with: openssl rand -base64 32, and ${say.provide('key')}`
}

/** Faults of what signing keys are sealed under: the option, or what lies beside SQLite. */
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
    .map(({ message }) => ({ about, message, mend: makeKey(say) }))
}

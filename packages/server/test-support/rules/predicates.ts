// A second version of each safety rule, written from the text of the standard and not from the code
// of the rule. A predicate returns true if the situation violates the rule.
import { createSeal } from '../../src/base/seal.ts'
import type { SealedKey } from '../../src/feature/situation.ts'
import { migrations as known } from '../../src/storage/migrations.ts'
import type { Situation } from './configurations.ts'

export type Predicate = (situation: Situation) => boolean

/**
 * Secrets that have been published. The generator of configurations uses them, and the rule
 * `key-unknown` must refuse them.
 */
export const printedSecrets = [
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'a-string-secret-at-least-256-bits-long',
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  'your-super-secret-jwt-key-change-this-in-production',
  'Change_Me-0123456789-abcdefghijklmno',
  '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R',
  'https://tenant.example/.well-known/jwks.json',
  '/run/secrets/keystile-production.key',
]

/** Stored signing keys, each with the secret that sealed it. */
export const sealedKeys: readonly (SealedKey & { readonly secret: string })[] = [
  'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a',
  ...printedSecrets.slice(0, 2),
].map((secret, i) => {
  const id = `key-${i}`
  const sealed = createSeal(secret, 'signing keys').seal('{}', id)
  return { id, algorithm: i === 1 ? 'EdDSA' : 'ES256', sealed, secret }
})

/** The newest migration of this release. */
export const lastMigration = Object.keys(known).toSorted().at(-1) ?? ''

/** The rules that only warn. A violation of any other rule stops the start. */
export const warned: ReadonlySet<string> = new Set([
  'password-length',
  'http-allowed',
  'tables-not-newer',
  'registration-limited',
  'rate-limits',
  'proxies-said',
  'access-token-short',
  'session-short',
  'idle-short',
  'grace-short',
  'postgres-tls',
  'database-password-hidden',
  'secret-files-private',
  'database-file-private',
  'clock-right',
  'mail-tls',
  'mail-reachable',
  'mail-sent',
  'previous-key-needed',
  'next-key-published',
  'events-handled',
])

const hosts = { v4: /^127(\.\d{1,3}){3}$/, others: ['localhost', '::1', '[::1]'] }
const isHere = (host: string): boolean => hosts.v4.test(host) || hosts.others.includes(host)
const partsOf = (url: string): { scheme: string; host: string } => {
  const [, scheme = '', host = ''] = /^(\w+):\/\/(\[[^\]]*\]|[^/:?#]*)/.exec(url) ?? []
  return { scheme, host }
}
const isSentUnencrypted = (url: string | undefined): boolean => {
  const { scheme, host } = partsOf(url ?? '')
  return scheme === 'http' && !isHere(host)
}
const servesOthers = ({ options, bind }: Situation): boolean =>
  (bind !== undefined && !isHere(bind.host)) ||
  !isHere(partsOf(options.issuer ?? 'http://localhost').host)
const sealingSecret = ({ options, machine }: Situation): string | undefined =>
  options.key ?? machine?.keyFile?.secret

/**
 * Counts the addresses in a network. `v4` is the number of IPv4 addresses, including those that are
 * mapped into IPv6. `v6` is the number of IPv6 addresses.
 */
function sizeOf(network: string): { v4: bigint; v6: bigint } {
  const [address = '', length = ''] = network.split('/')
  if (length === '') return { v4: 1n, v6: 0n }
  if (!address.includes(':')) return { v4: 2n ** BigInt(32 - Number(length)), v6: 0n }
  const bits = 128 - Number(length)
  const first = (numberOf(address) >> BigInt(bits)) << BigInt(bits)
  const last = first + 2n ** BigInt(bits) - 1n
  const mapped = 0xffffn << 32n
  const low = first > mapped ? first : mapped
  const high = last < mapped + 2n ** 32n - 1n ? last : mapped + 2n ** 32n - 1n
  return { v4: high >= low ? high - low + 1n : 0n, v6: 2n ** BigInt(bits) }
}

function numberOf(address: string): bigint {
  const [left = '', right] = address.split('::')
  const words = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const tail = right === undefined ? [] : words(right)
  const zeros = Array.from({ length: 8 - words(left).length - tail.length }, () => '0')
  return [...words(left), ...zeros, ...tail].reduce(
    (sum, word) => (sum << 16n) + BigInt(`0x${word}`),
    0n,
  )
}

/** The members of a JWK that predicates read. */
type Members = Readonly<Partial<Record<'kty' | 'n' | 'e' | 'd' | 'x' | 'crv', string>>>

const integerOf = (text = ''): bigint =>
  BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
const isWeakKey = ({ kty, n, e, crv }: Members): boolean =>
  kty === 'RSA'
    ? integerOf(n).toString(2).length < 2048 || integerOf(e) < 65537n
    : crv !== 'P-256' && crv !== 'Ed25519'

export const predicates: Readonly<Record<string, Predicate>> = {
  // RFC 8414 §2: "a URL that uses the "https" scheme"
  'issuer-https': ({ options }) =>
    isSentUnencrypted(options.issuer) && !options.dangerouslyAllowHttpIssuer,
  // ASVS 12.2.1: "TLS is used for all connectivity between a client and external facing, HTTP-based
  // services"
  'http-allowed': ({ options }) => options.dangerouslyAllowHttpIssuer === true,
  // RFC 6749 §3.2: the server "MUST require the use of TLS"
  'public-bind': ({ bind, options }) =>
    bind !== undefined &&
    !isHere(bind.host) &&
    (!bind.isIssuerGiven ||
      (partsOf(options.issuer!).scheme === 'http' &&
        isHere(partsOf(options.issuer!).host) &&
        options.dangerouslyAllowHttpIssuer !== true)),
  // CWE-1188: no insecure default
  'registration-said': (situation) =>
    servesOthers(situation) &&
    !('registration' in situation.options) &&
    !('users' in situation.options),
  // ASVS 2.4.1: "protect against excessive calls … that could lead to … garbage-data creation"
  'registration-limited': (situation) => {
    const { registration, rateLimits } = situation.options
    return `${registration} ${rateLimits}` === 'open off' && servesOthers(situation)
  },
  // ASVS 8.2.1: "function-level access is restricted to consumers with explicit permissions"
  'registration-unprivileged': (situation) => {
    const { registration, defaultScopes = [] } = situation.options
    const isManaging = defaultScopes.some((name) => /^users:(read|write)$/.test(name))
    return registration === 'open' && isManaging && servesOthers(situation)
  },
  // ASVS 13.3.1: secrets need a key that lasts longer than the signing keys
  'factor-key': ({ options: { secondFactor, signingKey, key }, unread }) =>
    ['optional', 'required'].includes(secondFactor ?? 'off') &&
    Boolean(signingKey) &&
    key === undefined &&
    !unread.has('key'),
  // ASVS 11.2.2: "keys can be replaced", and what the earlier key encrypted stays readable
  'factor-key-opens': ({ machine }) =>
    machine?.database !== undefined &&
    machine.database.kind !== 'unavailable' &&
    (machine.database.apps?.unreadable ?? 0) > 0,
  // NIST SP 800-63B-4 §3.1.1.2: "passwords that are used as a single-factor authentication mechanism
  // [have] a minimum of 15 characters"; with a second factor, 8
  'password-length': ({ options, unread }) =>
    (options.passwordMinLength ?? 15) < 15 &&
    ((options.rememberFactorDays ?? 0) > 0 ||
      (options.secondFactor !== 'required' && !unread.has('secondFactor'))),
  // ASVS 6.3.1: "controls to prevent attacks such as credential stuffing and password brute force"
  'rate-limits': (situation) => servesOthers(situation) && situation.options.rateLimits === 'off',
  // ASVS 6.3.1 too: a rate limit by address must know the client's address
  'proxies-said': (situation) =>
    servesOthers(situation) &&
    (situation.options.rateLimits ?? 'on') === 'on' &&
    !situation.options.trustedProxies,
  // RFC 7239 §8.1: the header "cannot be relied upon", unless the operator owns every proxy. The
  // widest private networks are 10.0.0.0/8 and fc00::/7.
  'proxies-named': ({ options }) =>
    (options.trustedProxies ?? []).some((network) => {
      const { v4, v6 } = sizeOf(network)
      return v4 > 2n ** 24n || v6 > 2n ** 121n
    }),
  // ASVS 13.3.1: "a secrets management solution … is used to securely create, store, control access
  // to, and destroy backend secrets"
  'key-given': ({ options: { database, key, signingKey } }) =>
    (typeof database === 'object' || /^postgres(ql)?:/.test(database ?? '')) && !key && !signingKey,
  // ASVS 11.5.1: "have at least 128 bits of entropy". A secret is weaker if it has fewer than 32
  // characters, fewer than 16 different characters (unless it is hex), or fewer than 8 different
  // steps between two neighbours, or if it is a sentence.
  'key-random': (situation) => {
    const secret = sealingSecret(situation)
    if (secret === undefined) return false
    const different = (all: readonly unknown[]): number =>
      all.filter((one, i) => all.indexOf(one) === i).length
    const codes = secret.split('').map((character) => character.charCodeAt(0))
    const steps = codes.slice(1).map((code, i) => (code - codes[i]! + 256) % 256)
    const isHex = /^[0-9A-F-]*$/i.test(secret) && /[0-9]/.test(secret) && /[A-F]/i.test(secret)
    const words = secret.split(' ').filter(Boolean)
    const isSentence = words.length > 2 && words.every((word) => /^\p{L}+[.,!?]?$/u.test(word))
    return (
      secret.length < 32 || different(steps) < 8 || (different(codes) < 16 && !isHex) || isSentence
    )
  },
  // RFC 8725 §3.5: "human-memorizable passwords MUST NOT be directly used as the key"
  'key-unknown': (situation) => printedSecrets.includes(sealingSecret(situation) ?? ''),
  // RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used"
  'signing-key-strong': ({ options: { signingKey } }) => {
    if (signingKey === undefined) return false
    const set = signingKey as { readonly keys?: readonly Members[] }
    const keys = set.keys ?? [signingKey as Members]
    const numbers = new Set(keys.map(({ x, n }) => x ?? n))
    return keys[0]?.d === undefined || numbers.size < keys.length || keys.some(isWeakKey)
  },
  // RFC 6750 §5.3: "SHOULD issue short-lived (one hour or less) bearer tokens"
  'access-token-short': ({ options }) => (options.accessTokenSeconds ?? 0) > 3600,
  // SP 800-63B-4 §2.1.3: "SHOULD be no more than 30 days at AAL1"
  'session-short': ({ options }) => (options.sessionSeconds ?? 0) / 86_400 > 30,
  // ASVS 7.3.1: "an inactivity timeout"
  'idle-short': ({ options: { sessionSeconds = 2_592_000, idleSeconds = 1_209_600 } }) =>
    sessionSeconds / 86_400 > 30 && idleSeconds / 86_400 > 30,
  // RFC 9700 §4.14.2: a second use of a refresh token is a replay attack
  'grace-short': ({ options }) => (options.graceSeconds ?? 0) > 30,
  // RFC 6265 §4.1.2.5: "The Secure attribute limits the scope of the cookie to "secure" channels"
  'cookie-https': ({ options }) =>
    options.cookieSession === true && isSentUnencrypted(options.issuer),
  // RFC 6265 §4.1.2.5, as above
  'login-pages-https': ({ options }) =>
    options.loginPages === 'on' && isSentUnencrypted(options.issuer),
  // ASVS 3.4.2: "an allowlist of trusted origins"
  'cors-named': ({ options }) =>
    (options.corsOrigins ?? []).some((origin) => /\*|^null$/.test(origin)),
  // RFC 6454 §8.1: "Some URI schemes, such as https, are more resistant to DNS compromise"
  'cors-https': ({ options }) =>
    options.dangerouslyAllowHttpIssuer !== true &&
    (options.corsOrigins ?? []).some(
      (origin) => !origin.includes('*') && isSentUnencrypted(origin),
    ),
  // ASVS 12.3.2: "TLS clients validate certificates received before communicating with a TLS
  // server"
  'postgres-tls': ({ options: { database } }) => {
    const [, host = '', , query = ''] =
      typeof database === 'string'
        ? (/^postgres(?:ql)?:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^/:?]*)([^?]*)\??(.*)$/.exec(database) ??
          [])
        : []
    return host !== '' && !isHere(host) && !query.split('&').includes('sslmode=verify-full')
  },
  // CWE-214: "Invocation of Process Using Visible Sensitive Information"
  'database-password-hidden': ({ flags, options: { database } }) =>
    [...(flags ?? [])].includes('database') &&
    typeof database === 'string' &&
    /^postgres(ql)?:.*(:[^/@]+@|[?&]password=)/.test(database),
  // ASVS 2.2.1: "input is validated to enforce business or functional expectations"
  'settings-complete': ({ faults }) => (faults ?? []).length > 0,
  // package.json, engines: >=24.15
  'node-version': ({ machine }) => {
    const [major, minor] = (machine?.nodeVersion ?? '99.0').split('.')
    return Number(major) * 1000 + Number(minor) < 24_015
  },
  // ASVS 13.3.2: "access to secret assets adheres to the principle of least privilege"
  'key-file-private': ({ machine }) =>
    machine?.keyFile?.isForeign === true ||
    /[1-7]..?$|[1-7]$/.test(groupAndOthers(machine?.keyFile?.mode)),
  'secret-files-private': ({ machine }) =>
    (machine?.secretFiles ?? []).some(
      ({ mode, isForeign }) => isForeign || groupAndOthers(mode) !== '00',
    ),

  'database-file-private': ({ machine }) =>
    (machine?.databaseFiles ?? []).some(
      ({ mode, isForeign }) =>
        isForeign || groupAndOthers(mode) !== '00' || machine?.openFolder !== undefined,
    ),
  // ASVS 16.5.3: "preventing fail-open conditions"
  'database-opens': ({ machine }) => machine?.database?.kind === 'unavailable',
  // ASVS 16.5.3 too: a server whose tables are not its own must not start
  'tables-current': ({ machine }) => {
    if (machine?.database === undefined || machine.database.kind === 'unavailable') return false
    const { kind, migrations } = machine.database
    const { missing, unknown, isEmpty, mark, mayMigrate } = migrations
    if (mark?.oldest === 9998) return true
    if (isEmpty) return !mayMigrate
    if (unknown.length > 0) return missing.length > 0 || unknown[0] !== '9998-later' || !mark
    if (missing.length === 0) return false
    return kind === 'postgres' || missing[0] !== lastMigration
  },
  // ASVS 15.2.1: components are replaced in time
  'tables-not-newer': ({ machine }) => {
    if (machine?.database === undefined || machine.database.kind === 'unavailable') return false
    const { missing, unknown, isEmpty, mark } = machine.database.migrations
    return !isEmpty && mark?.oldest === 16 && missing.length === 0 && unknown[0] === '9998-later'
  },
  // ASVS 11.2.2: keys can be replaced, so a database and its key must fit each other
  'key-opens': (situation) => {
    const { options, machine } = situation
    if (machine?.database === undefined || machine.database.kind === 'unavailable') return false
    const stored = machine.database.sealedKey?.sealed
    const [by] = sealedKeys.filter(({ sealed }) => sealed === stored)
    if (!by || options.signingKey) return false
    const given = sealingSecret(situation)
    if (options.previousKey === by.secret) return false
    if (given !== undefined) return given !== by.secret
    return machine.database.kind === 'sqlite' && !machine.keyFile
  },
  // ASVS 11.2.2 too: a key that nothing needs any more must not be kept
  'previous-key-needed': ({ options, machine }) =>
    options.previousKey !== undefined &&
    machine?.database !== undefined &&
    machine.database.kind !== 'unavailable' &&
    machine.database.needsPreviousKey === false,
  // ASVS 11.2.2 again: "keys can be replaced", so a replacement must not stay away
  'next-key-published': ({ options, machine }) =>
    !options.signingKey &&
    machine?.database !== undefined &&
    machine.database.kind !== 'unavailable' &&
    machine.database.nextKeyDueAt !== undefined &&
    machine.database.nextKeyDueAt + 86_400_000 <= machine.now,
  // RFC 8414 §3.3: the issuer is the identity of a server, so an operator must choose it
  'issuer-given': ({ bind, machine }) =>
    bind?.isIssuerGiven === false &&
    machine?.database?.kind === 'postgres' &&
    machine.database.issuer === undefined,
  // RFC 8414 §3.3: "MUST be identical to the authorization server's issuer identifier"
  'issuer-stored': ({ machine, options }) => {
    const stored = machine?.database?.kind === 'unavailable' ? undefined : machine?.database?.issuer
    return stored !== undefined && options.issuer !== undefined && stored !== options.issuer
  },
  // ASVS 7.4.1: "the application disallows any further use of the session". sqlite.org, pragma
  // synchronous: OFF 0, NORMAL 1, FULL 2, EXTRA 3; in WAL mode, a value below FULL may lose commits
  'sqlite-durable': ({ machine }) =>
    machine?.database?.kind === 'sqlite' && [0, 1].includes(machine.database.synchronous),
  // ASVS 7.4.1 too. sqlite.org/wal.html: "WAL does not work over a network filesystem". The numbers
  // are those of statfs(2): NFS, SMB, SMB2, CIFS, AFS, and CEPH of linux/magic.h.
  'sqlite-local': ({ machine }) =>
    [26985, 20859, 4266872130, 4283649346, 1397113167, 12805120].includes(
      machine?.databaseFileSystem ?? 0,
    ),
  // ASVS 7.4.1 too. Manual of PostgreSQL 18, §19.5: `fsync = off` may corrupt data.
  'postgres-durable': ({ options, machine }) =>
    machine?.database?.kind === 'postgres' &&
    machine.database.fsync === 'off' &&
    !options.dangerouslyAllowLostCommits,
  // ASVS 13.4.2: "debug modes are disabled for all components in every production environment"
  'mail-console': (situation) =>
    situation.options.mailUrl === 'console:' && servesOthers(situation),
  // RFC 8314 §3: "cleartext … be discontinued"
  'mail-tls': ({ options: { mailUrl = '' } }) =>
    /^smtp:.*[?]tls=off$/.test(mailUrl) && !isHere(partsOf(mailUrl).host),
  // RFC 5321 §3.1: "An SMTP session is initiated when a client opens a connection to a server"
  'mail-reachable': ({ machine }) => machine?.mailServer?.fault !== undefined,
  // RFC 5321 §4.2.5: the server "MUST … return … notification of failure"
  'mail-sent': ({ machine }) =>
    machine?.database !== undefined &&
    'deadMails' in machine.database &&
    machine.database.deadMails !== 0,
  // ASVS 16.5.2: "continues to operate … when external resource access fails"
  'events-handled': ({ machine }) =>
    machine?.database !== undefined &&
    'deadEvents' in machine.database &&
    machine.database.deadEvents !== 0,
  // ASVS 16.2.2: "time sources … are synchronized"
  'clock-right': ({ machine }) => {
    if (machine?.database?.kind === 'postgres') {
      const apart =
        machine.now > machine.database.now
          ? machine.now - machine.database.now
          : machine.database.now - machine.now
      return apart >= 60_500
    }
    if (machine?.database?.kind !== 'sqlite') return false
    const written = [
      machine.database.latest ?? 0,
      ...machine.databaseFiles.map(({ modifiedAt }) => modifiedAt),
    ]
    return written.some((at) => at - machine.now >= 60_500)
  },
}

/** Returns the last two octal digits of a mode: the permissions of the group and of other users. */
function groupAndOthers(mode: number | undefined): string {
  return (mode ?? 0o600).toString(8).padStart(3, '0').slice(-2)
}

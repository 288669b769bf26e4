import { BlockList, isIP } from 'node:net'
import { show, type Wording } from '../../feature/wording.ts'
import * as lifetimes from '../../features/sessions/settings.ts'
import { findSealingSecretFaults, type SealingSecretFault } from '../../features/signing-keys/sealing-secret.ts'
import { signingKeyOf } from '../../features/signing-keys/signing-keys.ts'
import { findDatabaseServer, isOnServer } from '../../storage/source.ts'
import { isLoopback, isOnThisMachine } from '../this-machine.ts'
import type { Fault, Rule, Situation } from './rule.ts'

const daySeconds = 24 * 60 * 60
const longestAccessTokenSeconds = 60 * 60
const longestSessionSeconds = 30 * daySeconds
const longestGraceSeconds = 30

/** Rules of what was configured. */
export const optionRules: readonly Rule[] = [
  {
    id: 'issuer-https',
    standard: 'RFC 8414 §2',
    severity: 'stop',
    demand: 'the issuer is an https URL, or one of this machine',
    find: ({ options: { issuer, dangerouslyAllowHttpIssuer } }, say) =>
      isHttpElsewhere(issuer) && !dangerouslyAllowHttpIssuer
        ? [
            {
              about: say.name('issuer'),
              message: `must be an https URL: over http, passwords and tokens cross the network unprotected; it is ${show(issuer)}`,
              mend: `put TLS in front and give the https URL as ${say.name('issuer')}; where something else protects the way, ${say.set('dangerouslyAllowHttpIssuer', true)}`,
            },
          ]
        : [],
  },
  {
    id: 'http-allowed',
    standard: 'ASVS 5.0 12.2.1',
    severity: 'warn',
    demand: 'http is not allowed by dangerouslyAllowHttpIssuer',
    find: ({ options: { dangerouslyAllowHttpIssuer } }, say) =>
      dangerouslyAllowHttpIssuer
        ? [
            {
              about: say.name('dangerouslyAllowHttpIssuer'),
              message: 'is true: anyone on the network in between can read passwords and tokens',
              mend: `put TLS in front, give the https URL as ${say.name('issuer')}, and leave ${say.name('dangerouslyAllowHttpIssuer')} out`,
            },
          ]
        : [],
  },
  {
    id: 'public-bind',
    standard: 'RFC 6749 §3.2',
    severity: 'stop',
    demand: 'a server that listens beyond this machine is told its issuer, and that is no http URL of this machine',
    find({ bind, options: { issuer, dangerouslyAllowHttpIssuer } }, say) {
      if (!bind) return undefined
      if (isLoopback(bind.host)) return []
      const mend = `put TLS in front and give the https URL as ${say.name('issuer')}, or ${say.set('host', 'localhost')}`
      if (!bind.isIssuerSaid) {
        const message = `must be given when listening on ${show(bind.host)}: the https URL at which users reach this server`
        return [{ about: say.name('issuer'), message, mend }]
      }
      const isHttp = issuer?.startsWith('http:') && isOnThisMachine(issuer)
      if (!isHttp || dangerouslyAllowHttpIssuer) return []
      const message = `must be an https URL when listening on ${show(bind.host)}: over http, passwords and tokens cross the network unprotected`
      return [{ about: say.name('issuer'), message, mend }]
    },
  },
  {
    id: 'registration-said',
    standard: 'CWE-1188',
    severity: 'stop',
    demand: 'beyond this machine, it is said whether strangers may register',
    find(situation, say) {
      const { bind, unread, options } = situation
      const isSaid = options.registration !== undefined || unread.has('registration')
      if (isSaid || options.users !== undefined || unread.has('users') || !isPublic(situation)) return []
      const where =
        bind && !isLoopback(bind.host)
          ? `when listening on ${show(bind.host)}`
          : 'where the issuer is not on this machine'
      return [
        {
          about: say.name('registration'),
          message: `must be given ${where}: open lets every stranger make an account, closed leaves it to you`,
          mend: `${say.set('registration', 'closed')}, or open`,
        },
      ]
    },
  },
  {
    id: 'registration-limited',
    standard: 'ASVS 5.0 2.4.1',
    severity: 'warn',
    demand: 'beyond this machine, registration is not open without rate limits',
    find: (situation, say) =>
      situation.options.registration === 'open' && situation.options.rateLimits === 'off' && isPublic(situation)
        ? [
            {
              about: say.name('registration'),
              message: 'is open without rate limits: every stranger can make any number of accounts',
              mend: `${say.set('registration', 'closed')}, or ${say.set('rateLimits', 'on')}`,
            },
          ]
        : [],
  },
  {
    id: 'rate-limits',
    standard: 'ASVS 5.0 6.3.1',
    severity: 'warn',
    demand: 'beyond this machine, rate limits are on',
    find: (situation, say) =>
      situation.options.rateLimits === 'off' && isPublic(situation)
        ? [
            {
              about: say.name('rateLimits'),
              message: 'is off: passwords can be guessed as fast as they are hashed',
              mend: `${say.set('rateLimits', 'on')}, unless something in front limits POST /token and POST /users`,
            },
          ]
        : [],
  },
  {
    id: 'proxies-said',
    standard: 'ASVS 5.0 6.3.1',
    severity: 'warn',
    demand: 'beyond this machine, it is said which proxies are trusted, or that there is none',
    find: (situation, say) =>
      situation.options.trustedProxies === undefined && situation.options.rateLimits !== 'off' && isPublic(situation)
        ? [
            {
              about: say.name('trustedProxies'),
              message:
                'is not given, so nothing is limited by address: it could be the address of a proxy, which all users share',
              mend: `${say.set('trustedProxies', ['10.0.0.7'])} with the addresses of the proxies in front, or ${say.set('trustedProxies', [])}`,
            },
          ]
        : [],
  },
  {
    id: 'proxies-named',
    standard: 'RFC 7239 §8.1',
    severity: 'stop',
    demand: 'trusted proxies are networks of one’s own: no wider than an IPv4 /8 or an IPv6 /7',
    find: ({ options: { trustedProxies = [] } }, say) =>
      trustedProxies.filter(holdsStrangers).map((network) => ({
        about: say.name('trustedProxies'),
        message: `must not have a network as wide as ${show(network)}: everyone in it chooses the address that limits and the audit record see`,
        mend: 'name the addresses of your proxies alone, such as 10.0.0.7 or 10.1.0.0/16',
      })),
  },
  {
    id: 'key-given',
    standard: 'ASVS 5.0 13.3.1',
    severity: 'stop',
    demand: 'on PostgreSQL there is a key, for what seals the signing keys does not lie beside them',
    find({ options: { database, key, signingKey }, unread }, say) {
      const isGiven = key !== undefined || signingKey !== undefined || unread.has('key') || unread.has('signingKey')
      if (!isOnServer(database) || isGiven) return []
      const message = 'must be given on PostgreSQL: signing keys are sealed under it, and it must not lie beside them'
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
        return [{ about: say.name('signingKey'), message: `must be another key: ${(error as Error).message}`, mend }]
      }
    },
  },
  {
    id: 'access-token-short',
    standard: 'RFC 6750 §5.3',
    severity: 'warn',
    demand: 'an access token lives an hour or less',
    find: ({ options: { accessTokenSeconds = lifetimes.accessTokenSeconds.default } }, say) =>
      accessTokenSeconds > longestAccessTokenSeconds
        ? [
            {
              about: say.name('accessTokenSeconds'),
              message: `is ${accessTokenSeconds}: a stolen access token is good for that long, and cannot be told from the owner’s`,
              mend: `${say.set('accessTokenSeconds', longestAccessTokenSeconds)} or less: clients refresh`,
            },
          ]
        : [],
  },
  {
    id: 'session-short',
    standard: 'SP 800-63B-4 §2.1.3',
    severity: 'warn',
    demand: 'a login lasts 30 days or less',
    find: ({ options: { sessionSeconds = lifetimes.sessionSeconds.default } }, say) =>
      sessionSeconds > longestSessionSeconds
        ? [
            {
              about: say.name('sessionSeconds'),
              message: `is ${sessionSeconds}: NIST SP 800-63B-4 §2.1.3 has people log in again after no more than 30 days`,
              mend: `${say.set('sessionSeconds', longestSessionSeconds)} or less`,
            },
          ]
        : [],
  },
  {
    id: 'idle-short',
    standard: 'ASVS 5.0 7.3.1',
    severity: 'warn',
    demand: 'a login of more than 30 days ends after 30 days without use',
    find({ options }, say) {
      const { sessionSeconds = lifetimes.sessionSeconds.default, idleSeconds = lifetimes.idleSeconds.default } = options
      if (Math.min(sessionSeconds, idleSeconds) <= longestSessionSeconds) return []
      const message = `is ${idleSeconds}: a forgotten session stays open for more than 30 days`
      return [
        {
          about: say.name('idleSeconds'),
          message,
          mend: `${say.set('idleSeconds', lifetimes.idleSeconds.default)} or less`,
        },
      ]
    },
  },
  {
    id: 'grace-short',
    standard: 'RFC 9700 §4.14.2',
    severity: 'warn',
    demand: 'a used refresh token is answered again for 30 s at most',
    find: ({ options: { graceSeconds = lifetimes.graceSeconds.default } }, say) =>
      graceSeconds > longestGraceSeconds
        ? [
            {
              about: say.name('graceSeconds'),
              message: `is ${graceSeconds}: for that long, a copied refresh token is not told from one that was sent twice`,
              mend: `${say.set('graceSeconds', longestGraceSeconds)} or less`,
            },
          ]
        : [],
  },
  {
    id: 'cookie-https',
    standard: 'RFC 6265 §4.1.2.5',
    severity: 'stop',
    demand: 'the refresh token is in a cookie only where the issuer is https or on this machine',
    find: ({ options: { cookieSession, issuer } }, say) =>
      cookieSession && isHttpElsewhere(issuer)
        ? [
            {
              about: say.name('cookieSession'),
              message: `must be false unless ${say.name('issuer')} is an https URL: from any other, no browser keeps the cookie`,
              mend: `put TLS in front and give the https URL as ${say.name('issuer')}, or leave ${say.name('cookieSession')} out`,
            },
          ]
        : [],
  },
  {
    id: 'cors-named',
    standard: 'ASVS 5.0 3.4.2',
    severity: 'stop',
    demand: 'origins are named one by one: no `*`, no `null`',
    find: ({ options: { corsOrigins = [] } }, say) =>
      corsOrigins
        .filter((origin) => origin.includes('*') || origin === 'null')
        .map((origin) => ({
          about: say.name('corsOrigins'),
          message: `must name origins one by one, such as https://app.example, without * and null; it has ${show(origin)}`,
          mend: `name each origin whose pages may ask: ${say.set('corsOrigins', ['https://app.example', 'https://admin.example'])}`,
        })),
  },
  {
    id: 'cors-https',
    standard: 'RFC 6454 §8.1',
    severity: 'stop',
    demand: 'the origins are https, or on this machine',
    find: ({ options: { corsOrigins = [], dangerouslyAllowHttpIssuer } }, say) =>
      corsOrigins
        .filter((origin) => !dangerouslyAllowHttpIssuer && !origin.includes('*') && isHttpElsewhere(origin))
        .map((origin) => ({
          about: say.name('corsOrigins'),
          message: `must have https origins: anyone on the network in between can pretend to be a page over http; it has ${show(origin)}`,
          mend: `serve that page over https and name it so; where something else protects the way, ${say.set('dangerouslyAllowHttpIssuer', true)}`,
        })),
  },
  {
    id: 'postgres-tls',
    standard: 'ASVS 5.0 12.3.2',
    severity: 'warn',
    demand: 'the way to PostgreSQL on another machine is TLS, with the certificate verified',
    find({ options: { database } }, say) {
      if (typeof database === 'object') return undefined // an application's pool does not say
      const server = findDatabaseServer(database)
      if (!server || server.isTlsVerified || isLoopback(server.host)) return []
      const message = `is reached at ${show(server.host)} without verified TLS: anyone in between can read and change everything in it`
      return [
        {
          about: say.name('database'),
          message,
          mend: 'add sslmode=verify-full to the URL, and sslrootcert where the CA is your own',
        },
      ]
    },
  },
]

function isHttpElsewhere(url = ''): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'http:' && !isOnThisMachine(url)
}

/** Whether others than programs of this machine are served. */
function isPublic({ bind, options: { issuer = '' } }: Situation): boolean {
  const isBound = bind !== undefined && !isLoopback(bind.host)
  return isBound || (URL.canParse(issuer) && !isOnThisMachine(issuer))
}

function makeKey(say: Wording): string {
  return `make one with: openssl rand -base64 32, and ${say.provide('key')}`
}

/** Faults of what signing keys are sealed under: the option, or what lies beside SQLite. */
function findSecretFaults(
  { options: { key }, machine }: Situation,
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

/** Of how many IPv4 /8 (BlockList finds them as IPv6 writes them too), and of how many IPv6 /8, a network is too wide. */
const firstBytes = Array.from({ length: 256 }, (_, byte) => byte)
const farApart = [
  { tooMany: 2, addresses: firstBytes.map((byte) => `::ffff:${byte}.0.0.1`) },
  { tooMany: 4, addresses: firstBytes.map((byte) => `${byte.toString(16)}00::1`) },
]

/** Whether a network is wider than any that belongs to one owner. */
function holdsStrangers(network: string): boolean {
  const [address = '', length = ''] = network.split('/')
  if (length === '') return network === '*'
  const list = new BlockList()
  try {
    list.addSubnet(address, Number(length), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  } catch {
    return false // it is no network, which is a matter of shape
  }
  return farApart.some(
    ({ tooMany, addresses }) => addresses.filter((address) => list.check(address, 'ipv6')).length >= tooMany,
  )
}

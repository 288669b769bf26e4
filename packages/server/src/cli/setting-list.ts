import { readJwk } from './secret-files.ts'

/** One setting of the stand-alone server, wherever it may come from. */
export interface Setting {
  /** Its name in a configuration file, and as an option of `createKeystile` where it is one. */
  readonly name: string
  readonly environment: readonly string[]
  /** Its name on the command line, where it is not the name with hyphens. */
  readonly flag?: string
  /** What the help says. */
  readonly summary: string
  /** What its text stands for. @throws {TypeError} saying what is expected */
  parse(text: string): unknown
  /** A secret may lie in a file, named by the variable with `_FILE` behind it. */
  readonly isSecret?: boolean
  /** Its text is the path of a file with a secret. */
  readonly isSecretFile?: boolean
  /** It is no flag: anyone on the machine can read the arguments of a process. */
  readonly isHidden?: boolean
}

export function flagOf({ name, flag }: Setting): string {
  return flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

const asText = (value: string): string => value
const wholeNumber = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new TypeError('is a whole number')
  return Number(value)
}
const listOf = (value: string): readonly string[] => value.split(',').map((item) => item.trim())
const booleanOf = (value: string): boolean => {
  if (value !== 'true' && value !== 'false') throw new TypeError('is true or false')
  return value === 'true'
}

const costOf = (value: string): unknown => {
  const [, memoryKiB, passes] = /^m=(\d{1,9}),t=(\d{1,9})$/.exec(value) ?? []
  if (memoryKiB === undefined) throw new TypeError('is written m=19456,t=2: KiB of memory, and passes')
  return { memoryKiB: Number(memoryKiB), passes: Number(passes) }
}

export const settings: readonly Setting[] = [
  {
    name: 'issuer',
    environment: ['KEYSTILE_ISSUER'],
    summary: 'the URL at which users reach the server; http://localhost:PORT unless said',
    parse: asText,
  },
  {
    name: 'audience',
    environment: ['KEYSTILE_AUDIENCE'],
    summary: 'who the tokens are for; the issuer unless said',
    parse: asText,
  },
  {
    name: 'database',
    environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
    summary: 'a SQLite file or a postgres: URL; data/keystile.db unless said',
    parse: asText,
    isSecret: true,
  },
  { name: 'host', environment: ['KEYSTILE_HOST'], summary: 'what to listen on; localhost unless said', parse: asText },
  { name: 'port', environment: ['KEYSTILE_PORT', 'PORT'], summary: '8000 unless said', parse: wholeNumber },
  {
    name: 'registration',
    environment: ['KEYSTILE_REGISTRATION'],
    summary: 'open or closed; open on localhost unless said',
    parse: asText,
  },
  {
    name: 'key',
    environment: ['KEYSTILE_KEY'],
    summary: 'seals the signing keys; the file keystile.key beside SQLite unless said',
    parse: asText,
    isSecret: true,
    isHidden: true,
  },
  {
    name: 'signingKey',
    flag: 'signing-key-file',
    environment: ['KEYSTILE_SIGNING_KEY_FILE'],
    summary: 'a file with a private JWK that signs instead of own keys',
    parse: readJwk,
    isSecretFile: true,
  },
  {
    name: 'signingAlgorithm',
    environment: ['KEYSTILE_SIGNING_ALGORITHM'],
    summary: 'ES256, EdDSA or RS256; ES256 unless said',
    parse: asText,
  },
  {
    name: 'accessTokenSeconds',
    environment: ['KEYSTILE_ACCESS_TOKEN_SECONDS'],
    summary: 'life of an access token; 600 unless said',
    parse: wholeNumber,
  },
  {
    name: 'sessionSeconds',
    environment: ['KEYSTILE_SESSION_SECONDS'],
    summary: 'how long a login lasts, however often it is refreshed; 2592000 (30 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'idleSeconds',
    environment: ['KEYSTILE_IDLE_SECONDS'],
    summary: 'how long a login lasts that is not refreshed; 1209600 (14 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'graceSeconds',
    environment: ['KEYSTILE_GRACE_SECONDS'],
    summary: 'how long a used refresh token gives its successor again; 10 unless said, 0 for never',
    parse: wholeNumber,
  },
  {
    name: 'passwordMinLength',
    environment: ['KEYSTILE_PASSWORD_MIN_LENGTH'],
    summary: 'characters of a new password at least; 15 unless said, from 8 on beside a second factor',
    parse: wholeNumber,
  },
  {
    name: 'passwordHashing',
    environment: ['KEYSTILE_PASSWORD_HASHING'],
    summary: 'what a password hash costs, as keystile tune prints it; m=19456,t=2 unless said',
    parse: costOf,
  },
  {
    name: 'corsOrigins',
    environment: ['KEYSTILE_CORS_ORIGINS'],
    summary: 'origins whose pages may ask from elsewhere, with commas between them; none unless said',
    parse: listOf,
  },
  {
    name: 'rateLimits',
    environment: ['KEYSTILE_RATE_LIMITS'],
    summary: 'on, or off where guesses are limited in front of the server; on unless said',
    parse: asText,
  },
  {
    name: 'trustedProxies',
    environment: ['KEYSTILE_TRUSTED_PROXIES'],
    summary: 'addresses and ranges of proxies whose X-Forwarded-For is believed, or none where there is no proxy',
    parse: (value) => (value === 'none' ? [] : listOf(value)),
  },
  {
    name: 'auditSeconds',
    environment: ['KEYSTILE_AUDIT_SECONDS'],
    summary: 'how long the audit record keeps a line; 7776000 (90 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'logFile',
    environment: ['KEYSTILE_LOG_FILE'],
    summary: 'where the log goes; standard error unless said',
    parse: asText,
  },
  {
    name: 'logLevel',
    environment: ['KEYSTILE_LOG_LEVEL'],
    summary: 'debug, info, warn or error; info unless said',
    parse: asText,
  },
  {
    name: 'accessLog',
    environment: ['KEYSTILE_ACCESS_LOG'],
    summary: 'on or off: a line in the log for each request; off unless said',
    parse: asText,
  },
  {
    name: 'metrics',
    environment: ['KEYSTILE_METRICS'],
    summary: 'on, off, or where else /metrics listens, such as 127.0.0.1:9464; on for this machine alone unless said',
    parse: asText,
  },
  {
    name: 'dangerouslyAllowHttpIssuer',
    environment: ['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'],
    summary: 'true allows an http issuer, and http origins, that are not this machine',
    parse: booleanOf,
  },
]

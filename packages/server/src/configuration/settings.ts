import * as z from 'zod'
import { silentLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import { listSettings, type DefaultedSetting, type Setting, type SettingList } from '../feature/setting.ts'
import { filledString, parseBoolean, parseList, trueOrFalse } from '../feature/values.ts'
import { show } from '../feature/wording.ts'
import { findProxyFault } from '../http/proxies.ts'
import { isForeignUrl } from '../storage/source.ts'
import type { Pool } from '../storage/postgres.ts'

export interface IssuerOptions {
  /** `iss` of all tokens, and where the endpoints are: an https URL without query, or http on this machine alone. */
  readonly issuer: string
  /** Who the tokens are for: their `aud`. Default: the issuer. */
  readonly audience?: string
  /**
   * A file, a `postgres:` URL, or a pool of pg that stays yours. `:memory:` is for tests: a file in a temporary
   * folder that `close` deletes. A process that is killed leaves it behind, password hashes included.
   */
  readonly database: string | Pool
}

export interface HttpOptions {
  /**
   * Origins, such as `https://app.example`, whose pages may ask our endpoints although they come from elsewhere. Default: none
   * but the issuer's own.
   */
  readonly corsOrigins?: readonly string[]
  /**
   * Addresses, or ranges such as `10.0.0.0/8`, of the proxies whose `X-Forwarded-For` is believed. An empty list says that no
   * proxy stands before Keystile. Default: nobody is believed, and nothing is limited by address.
   */
  readonly trustedProxies?: readonly string[]
  /** Allows an http issuer, and http in `corsOrigins`, that is not this machine: tokens and passwords then cross the network unprotected. */
  readonly dangerouslyAllowHttpIssuer?: boolean
}

export interface LoggerOptions {
  readonly logger?: Logger
}

export interface ClockOptions {
  readonly clock?: Clock
}

const issuer: Setting<'issuer', string> = {
  name: 'issuer',
  takenBy: 'both',
  schema: filledString,
  standAloneDefault: ({ port }) => `http://localhost:${String(port)}`,
  defaultText: 'http://localhost:PORT',
  help: 'the URL at which users reach the server, and `iss` of all tokens',
  environment: ['KEYSTILE_ISSUER'],
  findFaults: findIssuerFaults,
}

const audience: Setting<'audience', string> = {
  name: 'audience',
  takenBy: 'both',
  schema: filledString.refine((text) => !/\s/.test(text), { error: 'must have no white space' }),
  defaultText: 'the issuer',
  help: 'who the tokens are for: their `aud`',
  environment: ['KEYSTILE_AUDIENCE'],
}

const databaseForm = "must be a file, ':memory:', a postgres: URL"

const database: Setting<'database', string | Pool> = {
  name: 'database',
  takenBy: 'both',
  schema: z.union([filledString, z.custom<Pool>((value) => typeof (value as Pool | null)?.connect === 'function')], {
    error: `${databaseForm} or a pool of pg`,
  }),
  standAloneDefault: () => 'data/keystile.db',
  defaultText: 'data/keystile.db',
  help: 'a SQLite file or a postgres: URL',
  environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
  isSecret: true,
  // A scheme that is no database of ours would otherwise become a file of that name.
  findFaults: (source) =>
    typeof source === 'string' && isForeignUrl(source) ? [`${databaseForm} or a pool of pg`] : [],
}

const corsOrigins: DefaultedSetting<'corsOrigins', readonly string[]> = {
  name: 'corsOrigins',
  takenBy: 'both',
  schema: z.array(z.string({ error: 'must be an origin such as https://app.example' }), {
    error: 'must be a list of origins',
  }),
  default: [],
  help: 'origins whose pages may ask from elsewhere, with commas between them',
  environment: ['KEYSTILE_CORS_ORIGINS'],
  parse: parseList,
  findFaults: (origins) => origins.flatMap(findOriginFaults),
}

const trustedProxies: Setting<'trustedProxies', readonly string[]> = {
  name: 'trustedProxies',
  takenBy: 'both',
  schema: z.array(z.string({ error: 'must be an address or a range such as 10.0.0.0/8' }), {
    error: 'must be a list of addresses and ranges',
  }),
  defaultText: 'no proxy is believed, and nothing is limited by address',
  help: 'addresses and ranges of proxies whose X-Forwarded-For is believed; none where there is no proxy',
  environment: ['KEYSTILE_TRUSTED_PROXIES'],
  parse: parseList,
  findFaults: (proxies) =>
    proxies.flatMap((proxy) => {
      const fault = findProxyFault(proxy)
      return fault === undefined
        ? []
        : [`must list addresses and ranges of proxies; it has ${show(proxy)}, which ${fault}`]
    }),
}

const dangerouslyAllowHttpIssuer: DefaultedSetting<'dangerouslyAllowHttpIssuer', boolean> = {
  name: 'dangerouslyAllowHttpIssuer',
  takenBy: 'both',
  schema: trueOrFalse,
  default: false,
  help: 'true allows an http issuer, and http origins, that are not this machine',
  environment: ['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'],
  parse: parseBoolean,
}

const logger: DefaultedSetting<'logger', Logger> = {
  name: 'logger',
  takenBy: 'app',
  schema: z.custom<Logger>(isLogger, { error: 'must have the methods debug, info, warn and error' }),
  default: silentLogger,
  defaultText: 'nothing is logged',
  help: 'where messages go',
}

const clock: DefaultedSetting<'clock', Clock> = {
  name: 'clock',
  takenBy: 'app',
  schema: z.custom<Clock>((value) => typeof (value as Clock | null)?.now === 'function', {
    error: 'must have a method now',
  }),
  default: systemClock,
  defaultText: "the machine's clock",
  help: 'what tells the time, for tests',
}

export const issuerSettings: SettingList<IssuerOptions> = listSettings<IssuerOptions>({ issuer, audience, database })

export const httpSettings: SettingList<HttpOptions> = listSettings<HttpOptions>({
  corsOrigins,
  trustedProxies,
  dangerouslyAllowHttpIssuer,
})

export const loggerSettings: SettingList<LoggerOptions> = listSettings<LoggerOptions>({ logger })

export const clockSettings: SettingList<ClockOptions> = listSettings<ClockOptions>({ clock })

function isLogger(value: unknown): boolean {
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof (value as Logger | null)?.[name] === 'function',
  )
}

/** RFC 8414 §2: a URL without query and fragment. Written in its one form, for it is compared as text. */
function findIssuerFaults(text: string): readonly string[] {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    return [`must be a URL such as https://auth.example or http://localhost:3000/auth; it is ${show(text)}`]
  const url = new URL(text)
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    return ['must have no user, query or fragment (RFC 8414 §2)']
  const written = url.href.replace(/\/$/, '')
  return written === text
    ? []
    : [`must be written ${show(written)}: tokens are compared with it letter by letter; it is ${show(text)}`]
}

/** An `Origin` is compared as text, so it is written as browsers send it. */
function findOriginFaults(origin: string): readonly string[] {
  if (origin.includes('*') || origin === 'null') return [] // a rule of safety finds these
  if (!/^https?:\/\/./.test(origin) || !URL.canParse(origin))
    return [`must list origins such as https://app.example or http://localhost:5173; it has ${show(origin)}`]
  const url = new URL(origin)
  return url.origin === origin
    ? []
    : [`must list origins as browsers send them, such as ${show(url.origin)}; it has ${show(origin)}`]
}

import * as z from 'zod'
import type { Feature } from '../feature/feature.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../feature/setting.ts'
import { show } from '../feature/shown-value.ts'
import { parseBoolean, parseList, trueOrFalse } from '../feature/values.ts'
import { guardRefusals } from '../http/metrics.ts'
import { findProxyFault } from '../http/proxies.ts'
import { corsRules, isUnnamed, type CorsRuleOptions } from './cors-rules.ts'
import { proxyRules, type ProxyRuleOptions } from './proxy-rules.ts'

export interface HttpOptions {
  /**
   * The origins whose pages may call Keystile's endpoints, such as `https://app.example`. Pages of
   * the issuer's own origin may always call them. Default: only the issuer's own origin.
   */
  readonly corsOrigins?: readonly string[]
  /**
   * Addresses, or ranges such as `10.0.0.0/8`, of the proxies whose `X-Forwarded-For` Keystile
   * trusts. `unix:` stands for a proxy that connects over a UNIX socket. An empty list means that
   * there is no proxy in front of Keystile. Default: no proxy is trusted, and there are no rate
   * limits by address.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * Allows http instead of https for an issuer on another machine, and for origins in `corsOrigins`
   * on other machines. With http, anyone on the network between the machines can read passwords and
   * tokens.
   */
  readonly dangerouslyAllowHttpIssuer?: boolean
}

const corsOrigins: DefaultedSetting<'corsOrigins', readonly string[]> = {
  name: 'corsOrigins',
  takenBy: 'both',
  schema: z.array(z.string({ error: 'must be an origin such as https://app.example' }), {
    error: 'must be a list of origins',
  }),
  default: [],
  help:
    "origins, besides the issuer's own, whose pages may call the endpoints; " +
    'separated by commas',
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
  defaultText: 'no proxy is trusted, and there are no rate limits by address',
  help:
    'addresses and ranges of proxies whose X-Forwarded-For is trusted; the entry "unix:" is a ' +
    'proxy on a UNIX socket; if there is no proxy, give none',
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
  help: 'true allows an http issuer and http origins on other machines',
  environment: ['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'],
  parse: parseBoolean,
}

/**
 * Checks that an origin is spelled as browsers send it, because origins are compared as strings.
 */
function findOriginFaults(origin: string): readonly string[] {
  if (isUnnamed(origin)) return [] // the rule `cors-named` finds these

  const shown = show(origin)
  if (!/^https?:\/\/./.test(origin) || !URL.canParse(origin))
    return [
      `must list origins such as https://app.example or http://localhost:5173; it has ${shown}`,
    ]

  const url = new URL(origin)
  return url.origin === origin
    ? []
    : [`must list origins as browsers send them, such as ${show(url.origin)}; it has ${shown}`]
}

/**
 * The settings, rules and metrics of all endpoints: for proxies, for CORS, and for refusals by
 * guards.
 */
export const feature: Feature<HttpOptions, never, ProxyRuleOptions & CorsRuleOptions> = {
  name: 'http',
  settings: listSettings<HttpOptions>({ corsOrigins, trustedProxies, dangerouslyAllowHttpIssuer }),
  rules: [...proxyRules, ...corsRules],
  metrics: [guardRefusals],
}

import * as z from 'zod'
import { isHttpElsewhere } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../feature/setting.ts'
import { parseBoolean, parseList, trueOrFalse } from '../feature/values.ts'
import { show } from '../feature/wording.ts'
import { guardRefusals } from '../http/metrics.ts'
import { findProxyFault } from '../http/proxies.ts'
import { proxyRules, type ProxyRuleOptions } from './proxy-rules.ts'

export interface HttpOptions {
  /**
   * Origins, such as `https://app.example`, whose pages may ask our endpoints although they come
   * from elsewhere. Default: none but the issuer's own.
   */
  readonly corsOrigins?: readonly string[]
  /**
   * Addresses, or ranges such as `10.0.0.0/8`, of the proxies whose `X-Forwarded-For` is believed.
   * An empty list says that no proxy stands before Keystile. Default: nobody is believed, and
   * nothing is limited by address.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * Allows an http issuer, and http in `corsOrigins`, that is not this machine: tokens and
   * passwords then cross the network unprotected.
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

/** An `Origin` is compared as text, so it is written as browsers send it. */
function findOriginFaults(origin: string): readonly string[] {
  if (origin.includes('*') || origin === 'null') return [] // a rule of safety finds these
  if (!/^https?:\/\/./.test(origin) || !URL.canParse(origin))
    return [
      `must list origins such as https://app.example or http://localhost:5173; it has ${show(origin)}`,
    ]
  const url = new URL(origin)
  return url.origin === origin
    ? []
    : [
        `must list origins as browsers send them, such as ${show(url.origin)}; it has ${show(origin)}`,
      ]
}

interface RuleOptions extends ProxyRuleOptions {
  readonly corsOrigins?: readonly string[] | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

const corsRules: readonly Rule<RuleOptions>[] = [
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
        .filter(
          (origin) =>
            !dangerouslyAllowHttpIssuer && !origin.includes('*') && isHttpElsewhere(origin),
        )
        .map((origin) => ({
          about: say.name('corsOrigins'),
          message: `must have https origins: anyone on the network in between can pretend to be a page over http; it has ${show(origin)}`,
          mend: `serve that page over https and name it so; where something else protects the way, ${say.set('dangerouslyAllowHttpIssuer', true)}`,
        })),
  },
]

/** What every endpoint does alike: proxies, CORS, and what guards refuse. */
export const feature: Feature<HttpOptions, never, RuleOptions> = {
  name: 'http',
  settings: listSettings<HttpOptions>({ corsOrigins, trustedProxies, dangerouslyAllowHttpIssuer }),
  rules: [...proxyRules, ...corsRules],
  metrics: [guardRefusals],
}

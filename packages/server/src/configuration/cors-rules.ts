// The safety rules for the origins whose pages may call the endpoints.
import { isHttpElsewhere } from '../base/this-machine.ts'
import type { Rule } from '../feature/rule.ts'
import { show } from '../feature/shown-value.ts'

export interface CorsRuleOptions {
  readonly corsOrigins?: readonly string[] | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

/** Whether an entry of `corsOrigins` would allow origins that are not in the list. */
export function isUnnamed(origin: string): boolean {
  return origin.includes('*') || origin === 'null'
}

const exampleOrigins = ['https://app.example', 'https://admin.example']

export const corsRules: readonly Rule<CorsRuleOptions>[] = [
  {
    id: 'cors-named',
    standard: 'ASVS 5.0 3.4.2',
    severity: 'stop',
    demand: 'allowed origins must be listed one by one, without `*` and `null`',
    find: ({ options: { corsOrigins } }, say) =>
      corsOrigins?.filter(isUnnamed).map((origin) => ({
        about: say.name('corsOrigins'),
        message:
          'must list origins one by one, such as https://app.example, without * and null; ' +
          `it has ${show(origin)}`,
        fix: `list each origin: ${say.set('corsOrigins', exampleOrigins)}`,
      })) ?? [],
  },
  {
    id: 'cors-https',
    standard: 'RFC 6454 §8.1',
    severity: 'stop',
    demand: 'allowed origins must be https, or on this machine',
    find: ({ options: { corsOrigins, dangerouslyAllowHttpIssuer } }, say) =>
      corsOrigins
        ?.filter(
          (origin) => !dangerouslyAllowHttpIssuer && !isUnnamed(origin) && isHttpElsewhere(origin),
        )
        .map((origin) => ({
          about: say.name('corsOrigins'),
          message:
            'must list https origins: over http, anyone on the network between the page’s server ' +
            `and the browser can replace the page; it has ${show(origin)}`,
          fix:
            'serve that page over https and list its https origin; if something else protects ' +
            `the connection, ${say.set('dangerouslyAllowHttpIssuer', true)}`,
        })) ?? [],
  },
]

import { isHttpElsewhere } from '../base/this-machine.ts'
import type { Rule } from '../feature/rule.ts'
import { show } from '../feature/wording.ts'

interface Options {
  readonly issuer?: string | undefined
  readonly corsOrigins?: readonly string[] | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

export const issuerRules: readonly Rule<Options>[] = [
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
]

export const corsRules: readonly Rule<Options>[] = [
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
]

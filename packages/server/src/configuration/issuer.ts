import { isHttpElsewhere } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { listSettings, type Setting } from '../feature/setting.ts'
import { filledString } from '../feature/values.ts'
import { show } from '../feature/wording.ts'

export interface IssuerOptions {
  /**
   * `iss` of all tokens, and where the endpoints are: an https URL without query, or http on this
   * machine alone.
   */
  readonly issuer: string
  /** Who the tokens are for: their `aud`. Default: the issuer. */
  readonly audience?: string
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

/**
 * RFC 8414 §2: a URL without query and fragment. Written in its one form, for it is compared as
 * text.
 */
function findIssuerFaults(text: string): readonly string[] {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    return [
      `must be a URL such as https://auth.example or http://localhost:3000/auth; it is ${show(text)}`,
    ]
  const url = new URL(text)
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    return ['must have no user, query or fragment (RFC 8414 §2)']
  const written = url.href.replace(/\/$/, '')
  return written === text
    ? []
    : [
        `must be written ${show(written)}: tokens are compared with it letter by letter; it is ${show(text)}`,
      ]
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

const rules: readonly Rule<RuleOptions>[] = [
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

/** Where the endpoints are, and who the tokens are for. */
export const feature: Feature<IssuerOptions, never, RuleOptions> = {
  name: 'issuer',
  settings: listSettings<IssuerOptions>({ issuer, audience }),
  rules,
}

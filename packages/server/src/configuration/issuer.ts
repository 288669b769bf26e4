import { isHttpElsewhere } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { listSettings, type Setting } from '../feature/setting.ts'
import { show, showTyped } from '../feature/shown-value.ts'
import { filledString } from '../feature/values.ts'

export interface IssuerOptions {
  /**
   * The `iss` of all tokens and the base URL of the endpoints: an https URL without query, or an
   * http URL of this machine.
   */
  readonly issuer: string
  /** The `aud` of all tokens: the API that accepts them. Default: the issuer. */
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
  schema: filledString.refine((text) => !/\s/.test(text), {
    error: 'must not contain white space',
  }),
  defaultText: 'the issuer',
  help: 'the `aud` of all tokens: the API that accepts them',
  environment: ['KEYSTILE_AUDIENCE'],
}

/**
 * Checks that the issuer is a URL without query and fragment (RFC 8414 §2), in its canonical form.
 * Verifiers compare issuers as strings.
 */
function findIssuerFaults(text: string): readonly string[] {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    const examples = 'https://auth.example or http://localhost:3000/auth'
    return [`must be a URL such as ${examples}; it is ${show(text)}`]
  }

  const url = new URL(text)
  // `search` and `hash` are also empty for a URL that ends in `?` or `#`.
  if (/[?#]/.test(text) || url.username !== '' || url.password !== '')
    return ['must not have a user, a query or a fragment (RFC 8414 §2)']

  const canonical = url.href.replace(/\/$/, '')
  if (canonical === text) return []
  const [expected, typed] = [showTyped(canonical), showTyped(text)]
  return [`must be ${expected}, because verifiers compare it letter by letter; it is ${typed}`]
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
    demand: 'the issuer must be an https URL, or a URL of this machine',
    find: ({ options: { issuer, dangerouslyAllowHttpIssuer } }, say) =>
      isHttpElsewhere(issuer) && !dangerouslyAllowHttpIssuer
        ? [
            {
              about: say.name('issuer'),
              message:
                'must be an https URL: over http, anyone on the network between clients and the ' +
                `server can read passwords and tokens; it is ${show(issuer)}`,
              fix:
                `put TLS in front and give the https URL as ${say.name('issuer')}; if something ` +
                `else protects the connection, ${say.set('dangerouslyAllowHttpIssuer', true)}`,
            },
          ]
        : [],
  },
  {
    id: 'http-allowed',
    standard: 'ASVS 5.0 12.2.1',
    severity: 'warn',
    demand: '`dangerouslyAllowHttpIssuer` should not be true',
    find: ({ options: { dangerouslyAllowHttpIssuer } }, say) =>
      dangerouslyAllowHttpIssuer
        ? [
            {
              about: say.name('dangerouslyAllowHttpIssuer'),
              message:
                'should be false; it is true. Anyone on the network between clients and the ' +
                'server can read passwords and tokens',
              fix:
                `put TLS in front, give the https URL as ${say.name('issuer')}, and remove ` +
                say.name('dangerouslyAllowHttpIssuer'),
            },
          ]
        : [],
  },
]

export const feature: Feature<IssuerOptions, never, RuleOptions> = {
  name: 'issuer',
  settings: listSettings<IssuerOptions>({ issuer, audience }),
  rules,
}

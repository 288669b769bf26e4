import { isHttpElsewhere } from '../../base/this-machine.ts'
import type { Rule } from '../../feature/rule.ts'

interface Options {
  readonly issuer?: string | undefined
  readonly cookieSession?: boolean | undefined
}

export const rules: readonly Rule<Options>[] = [
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
]

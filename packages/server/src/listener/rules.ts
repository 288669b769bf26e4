import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import type { Rule } from '../feature/rule.ts'
import { show } from '../feature/wording.ts'

interface Options {
  readonly issuer?: string | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

export const rules: readonly Rule<Options>[] = [
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
]

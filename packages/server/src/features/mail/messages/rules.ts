// The safety rules about the mail server (`mailUrl`).
import { isLoopback } from '../../../base/this-machine.ts'
import type { Rule } from '../../../feature/rule.ts'
import { show } from '../../../feature/shown-value.ts'
import { isPublic } from '../../../feature/situation.ts'
import { mailUrlExample, readMailUrl } from './mail-url.ts'

export interface MailRuleOptions {
  readonly issuer?: string | undefined
  readonly mailUrl?: string | undefined
}

export const rules: readonly Rule<MailRuleOptions>[] = [
  {
    id: 'mail-console',
    standard: 'ASVS 5.0 13.4.2',
    severity: 'stop',
    demand: 'mails must not be shown at /dev/mail when other machines can reach the server',
    find(situation, say) {
      if (situation.options.mailUrl !== 'console:' || !isPublic(situation)) return []

      const message =
        'must not be console: when other machines can reach the server: ' +
        'anyone could read the mails at /dev/mail'
      const fix = `${say.set('mailUrl', mailUrlExample)}, with the URL of your mail server`
      return [{ about: say.name('mailUrl'), message, fix }]
    },
  },
  {
    id: 'mail-tls',
    standard: 'RFC 8314 §3',
    severity: 'warn',
    demand: 'a connection to a mail server on another machine must use TLS',
    find({ options }, say) {
      const server = options.mailUrl === undefined ? undefined : readMailUrl(options.mailUrl)
      if (server?.kind !== 'smtp' || server.isSecure || server.requiresTls) return []
      if (isLoopback(server.host)) return []

      const message = `must use TLS to ${show(server.host)}: others on the network can read mails`
      return [{ about: say.name('mailUrl'), message, fix: 'remove ?tls=off from the URL' }]
    },
  },
  {
    id: 'mail-reachable',
    standard: 'RFC 5321 §3.1',
    severity: 'warn',
    demand: 'the mail server must accept the connection and the login; only `doctor` tries that',
    find({ machine }) {
      const { mailServer } = machine ?? {}
      if (!mailServer) return undefined
      const { host, port, fault } = mailServer
      if (!fault) return []

      const message = `must accept the connection and the login; ${fault.cause}`
      return [{ about: `the mail server ${show(host)}, port ${port}`, message, fix: fault.fix }]
    },
  },
]

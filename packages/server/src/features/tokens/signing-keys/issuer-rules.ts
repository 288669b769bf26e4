// The safety rules for the issuer of a database.

import type { Rule } from '../../../feature/rule.ts'
import { belongsElsewhere } from './issuer.ts'

export interface IssuerRuleOptions {
  readonly issuer?: string | undefined
}

/** In the order in which docs/reference/doctor.md lists them. */
export const issuerRules: readonly Rule<IssuerRuleOptions>[] = [
  {
    id: 'issuer-given',
    standard: 'RFC 8414 §3.3',
    severity: 'stop',
    demand: 'at its first start on PostgreSQL, the stand-alone server must be given the issuer',
    find({ bind, machine, options: { issuer = 'http://localhost:8000' } }, say) {
      if (!bind || machine?.database?.kind !== 'postgres') return undefined
      if (bind.isIssuerGiven || machine.database.issuer !== undefined) return []
      return [
        {
          about: say.name('issuer'),
          message:
            'must be given at the first start on PostgreSQL: ' +
            'a database belongs to one issuer, and that cannot be changed',
          fix:
            `give the https URL of the server as ${say.name('issuer')}; ` +
            `for development on this machine, ${say.set('issuer', issuer)}`,
        },
      ]
    },
  },
  {
    id: 'issuer-stored',
    standard: 'RFC 8414 §3.3',
    severity: 'stop',
    demand: 'the database must belong to the configured issuer',
    find({ machine, options: { issuer } }, say) {
      const { database } = machine ?? {}
      if (database === undefined || database.kind === 'unavailable' || issuer === undefined)
        return undefined
      if (database.issuer === undefined || database.issuer === issuer) return []
      return [
        {
          about: 'this database',
          message: belongsElsewhere(database.issuer, issuer),
          fix: `${say.set('issuer', database.issuer)}, or use another database`,
        },
      ]
    },
  },
]

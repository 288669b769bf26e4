import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../../feature/values.ts'
import { purgeAudit } from './store.ts'

export interface AuditOptions {
  /**
   * How long the audit record keeps an entry, in seconds: 86,400 (a day) to 315,360,000 (10 years).
   * Default: 90 days.
   */
  readonly auditSeconds?: number
}

const auditSeconds: DefaultedSetting<'auditSeconds', number> = {
  name: 'auditSeconds',
  takenBy: 'both',
  schema: seconds(daySeconds, 3_650 * daySeconds),
  default: 90 * daySeconds,
  defaultText: `${90 * daySeconds} (90 days)`,
  unit: 'seconds',
  help: 'how long the audit record keeps an entry',
  environment: ['KEYSTILE_AUDIT_SECONDS'],
  parse: parseWholeNumber,
}

type Options = Required<AuditOptions>

/** The number of lines that `keystile audit` prints by default: a few screens. */
const defaultLimit = 100

/**
 * The record of who did what. Each change writes an entry, and `keystile audit` prints the entries.
 */
export const feature: Feature<AuditOptions, never, unknown, Options> = {
  name: 'audit',
  settings: listSettings<AuditOptions>({ auditSeconds }),
  cleanUp: [
    // Deletes entries that are older than `auditSeconds`.
    {
      command: purgeAudit,
      time: 'recorded',
      before: (time, { auditSeconds }) => time - auditSeconds * 1000,
    },
  ],
  cliCommands: [
    {
      words: ['audit'],
      flags: {
        follow: {},
        json: {},
        since: { value: 'T' },
        subject: { value: 'ID' },
        limit: { value: 'N' },
      },
      takesSettings: 'withoutKey',
      summary:
        `print who did what: the last ${defaultLimit} entries; with --since, all entries since ` +
        'a time such as 2026-11-25T12:00Z, or of a period such as 90m, 12h or 7d',
      async load() {
        const { audit } = await import('./cli.ts')
        return (call) => audit(call, defaultLimit)
      },
    },
  ],
}

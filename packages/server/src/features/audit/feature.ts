import type { Feature } from '../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../feature/values.ts'
import { purgeAudit } from './store.ts'

export interface AuditOptions {
  /**
   * How long the audit record keeps a line: seconds, 86,400 (a day) to 315,360,000 (10 years).
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
  help: 'how long the audit record keeps a line',
  environment: ['KEYSTILE_AUDIT_SECONDS'],
  parse: parseWholeNumber,
}

type Options = Required<AuditOptions>

const defaultLimit = 100

/** The record of who did what: written with each change, read and followed. */
export const feature: Feature<AuditOptions, never, unknown, Options> = {
  name: 'audit',
  settings: listSettings<AuditOptions>({ auditSeconds }),
  cleanUp: [
    // Lines that are older than the record keeps them.
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
        subject: { value: 'S' },
        limit: { value: 'N' },
      },
      takesSettings: 'withoutKey',
      summary: `who did what: the last ${defaultLimit} lines, or all since 2026-11-25T12:00Z or 90m, 12h, 7d ago`,
      async load() {
        const { audit } = await import('./cli.ts')
        return (call) => audit(call, defaultLimit)
      },
    },
  ],
}

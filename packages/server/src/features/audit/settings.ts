import { listSettings, type DefaultedSetting, type SettingList } from '../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../feature/values.ts'

export interface AuditOptions {
  /** How long the audit record keeps a line: seconds, 86,400 (a day) to 315,360,000 (10 years). Default: 90 days. */
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

export const settings: SettingList<AuditOptions> = listSettings<AuditOptions>({ auditSeconds })

import type { DefaultedSetting } from '../../feature/setting.ts'
import { daySeconds, parseWholeNumber, seconds } from '../../feature/values.ts'

export const auditSeconds: DefaultedSetting<'auditSeconds', number> = {
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

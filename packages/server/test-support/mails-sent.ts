import { until } from '../../../tools/until.ts'
import type { Stage } from './keystile.ts'

/** Resolves when all requests for mails are resolved and all mails are sent. */
export async function mailsSent({ sql }: Pick<Stage, 'sql'>): Promise<void> {
  await until(async () => (await sql(waiting)).length === 0)
}

const waiting =
  'select id from mail_proof where resolved_at is null union all select id from mail limit 1'

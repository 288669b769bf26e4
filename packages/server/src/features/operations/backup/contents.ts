// What a copy of a database has in it.

import { statSync } from 'node:fs'
import { countOf } from '../../../feature/count.ts'
import { inspectDatabase } from '../../../storage/inspect.ts'
import { findNewestMigration } from '../../../storage/schema-state.ts'
import { countSessions } from '../../tokens/sessions/session-count.ts'
import { countUsers } from '../../users/accounts/user-count.ts'
import { findBackupTime } from './store.ts'

export interface Contents {
  /** The name of its newest migration. */
  readonly schema: string
  readonly users: number
  /** Sessions that have not ended. */
  readonly sessions: number
  readonly bytes: number
  /**
   * The copy has every change that was committed before this time, in milliseconds. Undefined if
   * something other than `keystile backup` made the copy.
   */
  readonly backedUpAt: number | undefined
}

/**
 * Reads what a SQLite file has in it. Changes nothing.
 *
 * @returns undefined if the file has no tables of Keystile
 */
export async function readContents(file: string): Promise<Contents | undefined> {
  return inspectDatabase(file, async (reader) => {
    const schema = await findNewestMigration(reader)
    if (schema === undefined) return undefined
    return {
      schema,
      users: await countUsers(reader),
      sessions: await countSessions(reader),
      bytes: statSync(file).size,
      backedUpAt: await findBackupTime(reader),
    }
  })
}

export function wireContents({ backedUpAt, ...contents }: Contents): object {
  return { ...contents, backed_up_at: timeOf(backedUpAt) ?? null }
}

export function describeContents({ schema, users, sessions, bytes, backedUpAt }: Contents): string {
  const at = timeOf(backedUpAt) ?? 'an unknown time'
  const what = [countOf(users, 'user'), countOf(sessions, 'session'), countOf(bytes, 'byte')]
  return `backup of ${at}, schema ${schema}, ${what.join(', ')}`
}

/** Returns a time in ISO 8601. */
export function timeOf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString()
}

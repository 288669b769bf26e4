import type { OfUser } from '../../../feature/of-user.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../../storage/database.ts'
import { lockAccount } from '../accounts/lock-in-transaction.ts'

export interface Note {
  readonly id: string
  readonly subject: string
  readonly text: string
  /** 1 for a note that reminds the user once, and 0 for any other note. */
  readonly reminds: number
}

interface NoteTables {
  readonly note: Note
}

/** Inserts a note. Returns false if the user was deleted in the meantime. */
export const insertNote: Command<Note, { readonly inserted: boolean }> = command(
  'insertNote',
  async (transaction, note) => {
    const account = await lockAccount(transaction, { subject: note.subject, rights: undefined })
    if (!account) return { inserted: false }
    await inTables<NoteTables>(transaction).insertInto('note').values(note).execute()
    return { inserted: true }
  },
)

export async function listNotes(reader: Reader, subject: string): Promise<readonly Note[]> {
  return inTables<NoteTables>(reader)
    .selectFrom('note')
    .selectAll()
    .where('subject', '=', subject)
    .orderBy('id')
    .execute()
}

export const commands: readonly AnyCommand[] = [insertNote]

export const ofUser: OfUser = {
  async erase(transaction, { subject }) {
    const db = inTables<NoteTables>(transaction)
    await db.deleteFrom('note').where('subject', '=', subject).execute()
  },
  // A reminder may have been shown since the backup.
  async restored(transaction) {
    const { numDeletedRows } = await inTables<NoteTables>(transaction)
      .deleteFrom('note')
      .where('reminds', '=', 1)
      .executeTakeFirstOrThrow()
    return { reminders_deleted: Number(numDeletedRows) }
  },
}

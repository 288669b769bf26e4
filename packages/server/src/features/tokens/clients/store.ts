// The queries and commands for clients.

import {
  command,
  inTables,
  type Command,
  type Database,
  type Reader,
} from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import { maxAccessTokenSeconds } from '../sessions/lifetimes.ts'
import type { ClientEvent } from './feature.ts'
import type { ClientRow, ClientTables } from './tables.ts'

/**
 * Creates the function that finds clients by id. The query is compiled once, because it runs for
 * each request to the introspection endpoint.
 */
export function createClientRowFinder({
  reader,
  find,
}: Pick<Database, 'reader' | 'find'>): (id: string) => Promise<ClientRow | undefined> {
  // Each call replaces it by its own id.
  const anyId = ''
  const query = inTables<ClientTables>(reader)
    .selectFrom('client')
    .selectAll()
    .where('id', '=', anyId)
    .compile()
  return (id) => find({ ...query, parameters: [id] })
}

/** Lists all clients, including disabled clients, in the order of their ids. */
export function listClientRows(reader: Reader): Promise<readonly ClientRow[]> {
  return inTables<ClientTables>(reader).selectFrom('client').selectAll().orderBy('id').execute()
}

/** Lists the clients with these ids, including disabled clients. */
export function listClientRowsOf(
  reader: Reader,
  ids: readonly string[],
): Promise<readonly ClientRow[]> {
  return inTables<ClientTables>(reader)
    .selectFrom('client')
    .selectAll()
    .where('id', 'in', ids)
    .execute()
}

export async function listDisabledIds(reader: Reader): Promise<readonly string[]> {
  const db = inTables<ClientTables>(reader)
  const rows = await db
    .selectFrom('client')
    .select('id')
    .where('disabled_at', 'is not', null)
    .execute()
  return rows.map(({ id }) => id)
}

/** If the client id is free, inserts a client and writes an audit entry. */
export const insertClient: Command<
  { readonly row: ClientRow; readonly by: By },
  { readonly inserted: boolean }
> = command('insertClient', async (transaction, { row, by }) => {
  const inserted = await inTables<ClientTables>(transaction)
    .insertInto('client')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) return { inserted: false }

  await insertAudit<ClientEvent>(transaction, {
    event: 'client_created',
    at: row.created_at,
    by,
    clientId: row.id,
  })
  return { inserted: true }
})

/**
 * Replaces the secret of an active confidential client and writes an audit entry. Does not give a
 * secret to a public client, because its grants and permissions were chosen for a client without a
 * secret.
 */
export const replaceClientSecret: Command<
  { readonly id: string; readonly secretHash: string; readonly by: By; readonly now: number },
  { readonly replaced: boolean }
> = command('replaceClientSecret', async (transaction, { id, secretHash, by, now }) => {
  const replaced = await inTables<ClientTables>(transaction)
    .updateTable('client')
    .set({ secret_hash: secretHash })
    .where('id', '=', id)
    .where('secret_hash', 'is not', null)
    .where('disabled_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!replaced) return { replaced: false }

  await insertAudit<ClientEvent>(transaction, {
    event: 'client_secret_rotated',
    at: now,
    by,
    clientId: id,
  })
  return { replaced: true }
})

// decisions/0016-disabled-clients-stay-disabled.md
/**
 * Disables a client permanently, and inserts an event so that every process refuses the client's
 * tokens. A request that began earlier may still issue a token, so the event is kept for the
 * longest lifetime of an access token. The client's sessions stay as they are: the client cannot
 * refresh them, and the event revokes their access tokens.
 */
export const disableClient: Command<
  { readonly id: string; readonly by: By; readonly now: number },
  { readonly disabled: boolean }
> = command('disableClient', async (transaction, { id, by, now }) => {
  const disabled = await inTables<ClientTables>(transaction)
    .updateTable('client')
    .set({ disabled_at: now })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!disabled) return { disabled: false }

  await insertAudit<ClientEvent>(transaction, {
    event: 'client_disabled',
    at: now,
    by,
    clientId: id,
  })
  await insertEvents(
    transaction,
    [{ kind: 'client', value: id, tokensExpireAt: now + maxAccessTokenSeconds * 1000 }],
    now,
  )
  return { disabled: true }
})

// Sends the statements of a connection. During an outage, nothing waits for a reply.
import { cancelStatement } from './postgres-cancel.ts'
import type { PoolClient, Query, TypeParsers } from './postgres-client.ts'
import { commit, type Notice } from './postgres-commit.ts'
import { classifyStatementError, isFailure } from './postgres-errors.ts'
import type { OutageWatch } from './postgres-outage.ts'
import type { State } from './postgres-states.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** How long to wait for the reply, in milliseconds. 0: until the connection ends. */
  readonly timeout: number
}

// The ids of types in PostgreSQL's `pg_type`.
const int8 = 20
const int4 = 23

/**
 * Parses integers, such as times, to numbers, and all other values to strings. Each query gets
 * these parsers. They are not set on the pool, because the pool may belong to the app, which may
 * need other parsers.
 */
const typeParsers: TypeParsers = {
  getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text),
}

/** Sends a statement. @throws {PostgresUnavailableError} if the database was not available */
export async function send(
  client: PoolClient,
  state: State,
  outages: OutageWatch,
  { text, values, timeout }: Statement,
): Promise<unknown> {
  const query = { text, values, types: typeParsers }
  if (text === 'commit') return sendCommit(client, state, outages, { query, timeout })

  try {
    // Migrations have no timeout, and may keep a small database busy.
    if (timeout === 0) return await client.query(query)
    return await outages.watch(() => client.query({ ...query, query_timeout: timeout }))
  } catch (error) {
    const classified = classifyStatementError(error)
    if (isFailure(classified, 'timeout')) cancelStatement(client)
    throw classified
  }
}

/**
 * Sends a COMMIT. Never cancels it: PostgreSQL would report a cancelled COMMIT as done, without
 * waiting for the standby. If no reply comes in time, `state.lateReply` is the one that may come.
 */
async function sendCommit(
  client: PoolClient,
  state: State,
  outages: OutageWatch,
  { query, timeout }: { readonly query: Query; readonly timeout: number },
): Promise<unknown> {
  let reply: Promise<unknown> | undefined
  const { promise: timedOut, reject: giveUp } = Promise.withResolvers<never>()
  const onTimeout = (): void => {
    state.lateReply = reply
    giveUp(new Error('timeout of a commit'))
  }
  const sendInTime = (): Promise<unknown> => {
    reply = client.query(query)
    return Promise.race([reply, timedOut])
  }

  const timer = timeout === 0 ? undefined : setTimeout(onTimeout, timeout)
  const notices: Notice[] = (state.notices = [])
  try {
    return await commit(() => outages.watch(sendInTime).catch(rethrowClassified), notices)
  } finally {
    clearTimeout(timer)
    state.notices = undefined
  }
}

function rethrowClassified(error: unknown): never {
  throw classifyStatementError(error)
}

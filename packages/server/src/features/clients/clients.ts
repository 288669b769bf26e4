import type { Clock } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import {
  createClientRowFinder,
  disableClient,
  insertClient,
  listClientRows,
  listDisabledIds,
  replaceClientSecret,
} from './store.ts'
import type { ClientRow } from './tables.ts'

/** What the registration of clients must know of a grant. */
export interface ClientGrant {
  readonly grantType: string
  /** Whether a person logs in, a session goes on, or the client acts for itself. */
  readonly kind: 'login' | 'refresh' | 'client'
}

/** What a client may do that others may not. */
export const permissions = ['introspect'] as const
export type Permission = (typeof permissions)[number]

/** Software that asks for tokens. */
export interface Client {
  /** `client_id`. */
  readonly id: string
  /** What it may send as `grant_type`. */
  readonly grants: readonly string[]
  /** The scopes that its tokens may hold. */
  readonly scopes: readonly string[] | 'all'
  readonly may: readonly Permission[]
}

/** The application itself: public, built in, and the client of every request that names none. */
export const firstParty: Client = {
  id: 'first-party',
  grants: ['password', 'refresh_token'],
  scopes: 'all',
  may: [],
}

/** A client as whoever runs the server sees it. */
export interface RegisteredClient extends Client {
  readonly scopes: readonly string[]
  /** Whether it has a secret to prove itself with. */
  readonly confidential: boolean
  readonly active: boolean
  readonly createdAt: Date
}

export interface NewClient extends Pick<
  RegisteredClient,
  'id' | 'grants' | 'scopes' | 'may' | 'confidential'
> {}

/** The clients beside `first-party`. */
export interface Clients {
  /** A client that is not disabled, and the hash of its secret if it has one. */
  find(
    id: string,
  ): Promise<{ readonly client: Client; readonly secretHash: string | undefined } | undefined>
  list(): Promise<readonly RegisteredClient[]>
  /** The ids of the clients that are disabled. */
  listDisabledIds(): Promise<readonly string[]>
  /**
   * Registers a client. Its secret is told here and never again.
   *
   * @returns `taken` where there is, or was, a client of this id
   */
  create(client: NewClient, by: By): Promise<'taken' | { readonly secret: string | undefined }>
  /**
   * Gives a confidential client another secret; the old one is refused from then on. @returns
   * `undefined` where there is none
   */
  rotateSecret(id: string, by: By): Promise<string | undefined>
  /**
   * Refuses a client for good, with all tokens that it was issued: in this process when this
   * resolves, in others within a second. @returns whether there was one
   */
  disable(id: string, by: By): Promise<boolean>
}

/** Like a user name, so that it needs no encoding in `Basic` and looks like no other. */
const clientId = /^[a-z0-9][a-z0-9._-]{1,62}$/

/**
 * Finds what is wrong with a client that is to be registered, a sentence for each fault. Does NOT
 * check that its scopes are declared.
 *
 * @param known the grants that there are
 */
export function findClientFaults(
  { id, grants, scopes, may, confidential }: NewClient,
  known: readonly ClientGrant[],
): readonly string[] {
  const namesOf = (kind: ClientGrant['kind']): readonly string[] =>
    known.filter((grant) => grant.kind === kind).map(({ grantType }) => grantType)
  const [logins, refreshes, own] = [namesOf('login'), namesOf('refresh'), namesOf('client')]
  const has = (names: readonly string[]): boolean => names.some((name) => grants.includes(name))
  const hasPeople = has(logins)
  const faults: (string | false)[] = [
    !clientId.test(id) &&
      'a client id has 2 to 63 lower-case letters, digits, dots, underscores or hyphens, and begins with a letter or digit',
    id === firstParty.id && `${firstParty.id} is built in`,
    grants.length === 0 && may.length === 0 && 'a client has at least one grant, or may introspect',
    has(refreshes) &&
      !hasPeople &&
      `${refreshes.join(', ')} goes with ${logins.join(' or ')}: ${own.join(', ')} gets no refresh token (RFC 6749 §4.4.3)`,
    !confidential && has(own) && `${own.join(', ')} is for confidential clients (RFC 6749 §4.4)`,
    !confidential && may.length > 0 && 'only a confidential client may introspect (RFC 7662 §2.1)',
    grants.length === 0 &&
      scopes.length > 0 &&
      'scopes are for what is issued to a client, and this one has no grant',
    !hasPeople &&
      scopes.some((scope) => scope.startsWith('users:')) &&
      'users:read and users:write are for people',
  ]
  return faults.filter((fault) => fault !== false)
}

export function createClients(database: Database, feed: EventFeed, clock: Clock): Clients {
  const findClientRow = createClientRowFinder(database)
  return {
    async find(id) {
      const row = clientId.test(id) ? await findClientRow(id) : undefined
      if (!row || row.disabled_at !== null) return undefined
      return { client: clientOf(row), secretHash: row.secret_hash ?? undefined }
    },
    async list() {
      return (await listClientRows(database.reader)).map((row) => ({
        ...clientOf(row),
        confidential: row.secret_hash !== null,
        active: row.disabled_at === null,
        createdAt: new Date(row.created_at),
      }))
    },
    listDisabledIds: () => listDisabledIds(database.reader),
    async create({ id, grants, scopes, may, confidential }, by) {
      const secret = confidential ? makeSecret() : undefined
      const row = {
        id,
        secret_hash: secret === undefined ? null : hashSecret(secret),
        grants: JSON.stringify(grants),
        scopes: JSON.stringify(scopes),
        may: JSON.stringify(may),
        created_at: clock.now(),
        disabled_at: null,
      }
      const { inserted } = await database.write(insertClient, { row, by })
      return inserted ? { secret } : 'taken'
    },
    async rotateSecret(id, by) {
      const secret = makeSecret()
      const { replaced } = await database.write(replaceClientSecret, {
        id,
        secretHash: hashSecret(secret),
        by,
        now: clock.now(),
      })
      return replaced ? secret : undefined
    },
    async disable(id, by) {
      const { disabled } = await database.write(disableClient, { id, by, now: clock.now() })
      await feed.tail()
      return disabled
    },
  }
}

function clientOf(row: ClientRow): Client & Pick<RegisteredClient, 'scopes'> {
  return {
    id: row.id,
    grants: JSON.parse(row.grants) as readonly string[],
    scopes: JSON.parse(row.scopes) as readonly string[],
    may: JSON.parse(row.may) as readonly Permission[],
  }
}

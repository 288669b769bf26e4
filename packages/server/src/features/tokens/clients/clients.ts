import type { Clock } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import type { Permission } from './feature.ts'
import {
  createClientRowFinder,
  disableClient,
  insertClient,
  listClientRows,
  listClientRowsOf,
  listDisabledIds,
  replaceClientSecret,
} from './store.ts'
import type { ClientRow } from './tables.ts'

/** A grant that a client may be registered for (features/tokens/oauth/grants). */
export interface ClientGrant {
  readonly grantType: string
  /**
   * `login`: a person logs in. `refresh`: a session is refreshed. `client`: the client acts for
   * itself.
   */
  readonly kind: 'login' | 'refresh' | 'client'
}

/** Software that gets tokens, with what it may do. */
export interface Client {
  readonly id: string
  readonly grants: readonly string[]
  readonly scopes: readonly string[] | 'all'
  readonly may: readonly Permission[]
  /**
   * Whether the client belongs to the operator of the server, so that people may give it their
   * passwords. A client with the grant `password` always does.
   */
  readonly firstParty: boolean
  /**
   * Whether people may set up a second factor in a login through the client, which then sees the
   * secret and the recovery codes. The grant `password` alone is not enough for this.
   */
  readonly mayEnrol: boolean
}

/**
 * The app itself: a built-in public client. A request that names no client counts as a request from
 * this client.
 */
export const firstParty: Client = {
  id: 'first-party',
  grants: ['password', 'authorization_code', 'refresh_token'],
  scopes: 'all',
  may: [],
  firstParty: true,
  mayEnrol: true,
}

/** A registered client, as `keystile client list` prints it. */
export interface RegisteredClient extends Client {
  readonly scopes: readonly string[]
  /** Whether the client authenticates with a secret. */
  readonly confidential: boolean
  readonly active: boolean
  readonly createdAt: Date
}

/** A client to register. */
export interface NewClient extends Pick<
  RegisteredClient,
  'id' | 'grants' | 'scopes' | 'may' | 'confidential'
> {
  /** Default: false, unless the client has the grant `password`. */
  readonly firstParty?: boolean
}

/** A client with the hash of its secret, which is undefined for a public client. */
export interface ProvenClient {
  readonly client: Client
  readonly secretHash: string | undefined
}

/** Finds and manages the registered clients. `firstParty` is not one of them. */
export interface Clients {
  /** Finds an active client. */
  find(id: string): Promise<ProvenClient | undefined>
  /**
   * Finds several active clients by their ids. This read is urgent: it does not wait for the reads
   * that requests have started.
   */
  findAll(ids: readonly string[]): Promise<ReadonlyMap<string, ProvenClient>>
  /** Lists all clients, including disabled ones. */
  list(): Promise<readonly RegisteredClient[]>
  listDisabledIds(): Promise<readonly string[]>
  /**
   * Registers a client. Only this call returns the secret: the database stores only its hash. Does
   * NOT check the values: call `findClientFaults()` (`client-faults.ts`) first.
   *
   * @returns the secret, which is undefined for a public client; `taken` if a client has or had
   *   this id
   */
  create(client: NewClient, by: By): Promise<'taken' | { readonly secret: string | undefined }>
  /**
   * Replaces the secret of a confidential client. From then on, the old secret is refused.
   *
   * @returns the new secret, or `undefined` if there is no active confidential client with this id
   */
  rotateSecret(id: string, by: By): Promise<string | undefined>
  /**
   * Disables a client permanently and revokes all its tokens. This process refuses the tokens when
   * the promise resolves; other processes refuse them within a second.
   *
   * @returns whether there was an active client with this id
   */
  disable(id: string, by: By): Promise<boolean>
}

/**
 * The pattern of a client id. Such an id needs no encoding in `Basic` credentials, and has no
 * letters of other scripts that look like Latin letters.
 */
export const clientIdPattern: RegExp = /^[a-z0-9][a-z0-9._-]{1,62}$/

export function createClients(database: Database, feed: EventFeed, clock: Clock): Clients {
  const findClientRow = createClientRowFinder(database)
  return {
    async find(id) {
      const row = clientIdPattern.test(id) ? await findClientRow(id) : undefined
      return row && provenOf(row)
    },
    async findAll(ids) {
      const found = new Map<string, ProvenClient>()
      for (const row of await listClientRowsOf(database.urgent.reader, ids)) {
        const proven = provenOf(row)
        if (proven) found.set(row.id, proven)
      }
      return found
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
    async create(client, by) {
      const secret = client.confidential ? makeSecret() : undefined
      const row = rowOf(client, secret, clock.now())
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
      // From here on, this process refuses the tokens of the client.
      await feed.tail()
      return disabled
    },
  }
}

function rowOf(client: NewClient, secret: string | undefined, now: number): ClientRow {
  return {
    id: client.id,
    secret_hash: secret === undefined ? null : hashSecret(secret),
    grants: JSON.stringify(client.grants),
    scopes: JSON.stringify(client.scopes),
    may: JSON.stringify(client.may),
    created_at: now,
    disabled_at: null,
    first_party: Number(client.firstParty ?? false),
  }
}

/** Converts a row to a client and the hash of its secret. Undefined if the client is disabled. */
function provenOf(row: ClientRow): ProvenClient | undefined {
  if (row.disabled_at !== null) return undefined
  return { client: clientOf(row), secretHash: row.secret_hash ?? undefined }
}

/**
 * Converts a row to a client. Does not check the JSON in the row, because only `create()` writes
 * this JSON.
 */
function clientOf(row: ClientRow): Client & Pick<RegisteredClient, 'scopes'> {
  const grants = JSON.parse(row.grants) as readonly string[]
  return {
    id: row.id,
    grants,
    scopes: JSON.parse(row.scopes) as readonly string[],
    may: JSON.parse(row.may) as readonly Permission[],
    firstParty: isFirstParty(row.first_party === 1, grants),
    mayEnrol: row.first_party === 1,
  }
}

/** A client with the grant `password` sees the passwords of people, so it is first-party. */
export function isFirstParty(isFlagged: boolean, grants: readonly string[]): boolean {
  return isFlagged || grants.includes('password')
}

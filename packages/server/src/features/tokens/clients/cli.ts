// The commands `keystile client …`.

import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call, CallFlags } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import type { Database } from '../../../storage/database.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { readScopeRules } from '../../users/scopes/declared.ts'
import type { ScopeSettings } from '../../users/scopes/scopes.ts'
import { withEventFeed } from '../events/with-event-feed.ts'
import { findClientFaults } from './client-faults.ts'
import {
  createClients,
  type ClientGrant,
  type Clients,
  type NewClient,
  type RegisteredClient,
} from './clients.ts'
import { permissions } from './feature.ts'

export type Options = ScopeSettings

/** Registers a client and prints its secret. The secret is never shown again. */
export async function create(call: Call<Options>, grants: readonly ClientGrant[]): Promise<void> {
  const { options } = await call.settings()

  const work = async (clients: Clients, database: Database): Promise<void> => {
    const { declared } = await readScopeRules(database, options)
    const client = readNewClient(call, { grants, scopes: Object.keys(declared) })
    const created = await clients.create(client, byOperator)
    if (created === 'taken')
      throw new ConfigurationError(`the client id ${client.id} is taken, or was used before`)
    printSecret(call, created.secret)
  }
  await withClients(call, work, { mayCreate: true })
}

/**
 * Reads the client to register from the arguments.
 *
 * @param known the grants and scopes that the server has
 * @throws {ConfigurationError} with one line for each fault
 */
function readNewClient(
  { operand: id, flags }: Call<Options>,
  known: { readonly grants: readonly ClientGrant[]; readonly scopes: readonly string[] },
): NewClient {
  const grantTypes = known.grants.map(({ grantType }) => grantType)
  const client = {
    id,
    grants: readNames(flags, 'grants', grantTypes),
    scopes: readNames(flags, 'scopes', known.scopes),
    may: readNames(flags, 'may', permissions),
    confidential: !flags.has('public'),
    firstParty: flags.has('first-party'),
  }
  const faults = findClientFaults(client, known.grants)
  if (faults.length > 0) throw new ConfigurationError(faults.join('\n'))
  return client
}

export async function list(call: Call<Options>): Promise<void> {
  await withClients(call, async (clients) => printList(call, await clients.list(), clientList))
}

const clientList: Listing<RegisteredClient> = {
  columns: [
    { title: 'CLIENT', width: 16, show: ({ id }) => id },
    {
      title: 'KIND',
      width: 12,
      show: ({ confidential }) => (confidential ? 'confidential' : 'public'),
    },
    { title: 'STATE', width: 8, show: ({ active }) => (active ? 'active' : 'disabled') },
    { title: 'CREATED', width: 24, show: ({ createdAt }) => createdAt.toISOString() },
    { title: 'GRANTS', width: 22, show: ({ grants }) => grants.join(' ') || null },
    { title: 'SCOPES', width: 24, show: ({ scopes }) => scopes.join(' ') || null },
    { title: 'MAY', width: 22, show: ({ may }) => may.join(' ') || null },
    { title: 'FIRST-PARTY', width: 0, show: ({ firstParty }) => (firstParty ? 'yes' : null) },
  ],
  wire: wireClient,
  none: 'there are no registered clients',
}

/** Replaces the secret of a confidential client and prints the new secret. */
export async function rotateSecret(call: Call<Options>): Promise<void> {
  const { operand: id } = call
  await withClients(call, async (clients) => {
    const secret = await clients.rotateSecret(id, byOperator)
    if (secret === undefined)
      throw new ConfigurationError(`there is no active client ${id} with a secret`)
    printSecret(call, secret)
  })
}

/** Disables a client permanently. */
export async function disable(call: Call<Options>): Promise<void> {
  const { operand: id, terminal } = call
  await withClients(call, async (clients) => {
    if (!(await clients.disable(id, byOperator)))
      throw new ConfigurationError(`there is no client ${id}, or it is already disabled`)
    terminal.print(`disabled ${id}; a running server refuses its tokens within a second`)
  })
}

async function withClients(
  call: Call<Options>,
  work: (clients: Clients, database: Database) => Promise<void>,
  options?: { readonly mayCreate: boolean },
): Promise<void> {
  await withEventFeed(
    call,
    (database, feed) => work(createClients(database, feed, call.clock), database),
    options,
  )
}

/**
 * Reads a flag that lists names, separated by commas. Returns the names in the order of `known`.
 */
function readNames<Name extends string>(
  flags: CallFlags,
  flag: string,
  known: readonly Name[],
): readonly Name[] {
  const named = (flags.value(flag) ?? '').split(',').filter((name) => name !== '')
  const unknown = named.find((name) => !(known as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(
      `--${flag} must list names from ${known.join(', ')}, separated by commas; ` +
        `"${unknown}" is not one of them`,
    )
  return known.filter((name) => named.includes(name))
}

function printSecret(
  { operand: id, flags, terminal }: Call<Options>,
  secret: string | undefined,
): void {
  if (flags.has('json')) terminal.printJson({ client_id: id, client_secret: secret })
  else if (secret === undefined)
    terminal.print(`client_id: ${id}\nThe client is public: it has no secret.`)
  else
    terminal.print(
      `client_id: ${id}\nclient_secret: ${secret}\n` +
        'The secret is shown only now; the database keeps a hash of it.',
    )
}

function wireClient({
  id,
  confidential,
  active,
  createdAt,
  grants,
  scopes,
  may,
  firstParty,
}: RegisteredClient): object {
  return {
    client_id: id,
    confidential,
    active,
    created_at: createdAt.toISOString(),
    grants,
    scopes,
    may,
    first_party: firstParty,
  }
}

import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call, CallFlags } from '../../feature/cli-command.ts'
import { byOperator } from '../audit/audit.ts'
import { withEventFeed } from '../events/cli.ts'
import { scopeRulesOf, type ScopeSettings } from '../scopes/scopes.ts'
import {
  createClients,
  findClientFaults,
  permissions,
  type ClientGrant,
  type Clients,
  type RegisteredClient,
} from './clients.ts'

/** What the commands ask for. */
export type Options = ScopeSettings

export async function create(call: Call<Options>, grants: readonly ClientGrant[]): Promise<void> {
  const { operand: id, flags } = call
  const { options } = await call.settings()
  const grantTypes = grants.map(({ grantType }) => grantType)
  const client = {
    id,
    grants: readNames(flags, 'grants', grantTypes),
    scopes: readNames(flags, 'scopes', Object.keys(scopeRulesOf(options).declared)),
    may: readNames(flags, 'may', permissions),
    confidential: !flags.has('public'),
  }
  const faults = findClientFaults(client, grants)
  if (faults.length > 0) throw new ConfigurationError(faults.join('\n'))

  const work = async (clients: Clients): Promise<void> => {
    const created = await clients.create(client, byOperator)
    if (created === 'taken') throw new ConfigurationError(`there is, or was, a client ${id}`)
    printSecret(call, created.secret)
  }
  await withClients(call, work, { mayCreate: true })
}

export async function list(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  await withClients(call, async (clients) => {
    for (const client of await clients.list()) {
      const columns = [
        client.id,
        client.confidential ? 'confidential' : 'public',
        client.active ? 'active' : 'disabled',
        client.createdAt.toISOString(),
        ...[client.grants, client.scopes, client.may].map((names) => names.join(' ') || '-'),
      ]
      if (flags.has('json')) terminal.printJson(wireClient(client))
      else terminal.printRow(columns)
    }
  })
}

export async function rotateSecret(call: Call<Options>): Promise<void> {
  const { operand: id } = call
  await withClients(call, async (clients) => {
    const secret = await clients.rotateSecret(id, byOperator)
    if (secret === undefined) throw new ConfigurationError(`there is no client ${id} with a secret`)
    printSecret(call, secret)
  })
}

export async function disable(call: Call<Options>): Promise<void> {
  const { operand: id, terminal } = call
  await withClients(call, async (clients) => {
    if (!(await clients.disable(id, byOperator)))
      throw new ConfigurationError(`there is no client ${id}, or it is disabled already`)
    terminal.print(`disabled ${id}; a running server refuses its tokens within a second`)
  })
}

async function withClients(
  call: Call<Options>,
  work: (clients: Clients) => Promise<void>,
  options?: { readonly mayCreate: boolean },
): Promise<void> {
  await withEventFeed(
    call,
    (database, feed) => work(createClients(database, feed, call.clock)),
    options,
  )
}

/** Names with commas between them, each one of those that there are. */
function readNames<Name extends string>(
  flags: CallFlags,
  flag: string,
  known: readonly Name[],
): readonly Name[] {
  const named = (flags.value(flag) ?? '').split(',').filter((name) => name !== '')
  const unknown = named.find((name) => !(known as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(
      `--${flag}: "${unknown}" is none of ${known.join(', ')}; there are commas between names`,
    )
  return known.filter((name) => named.includes(name))
}

function printSecret(
  { operand: id, flags, terminal }: Call<Options>,
  secret: string | undefined,
): void {
  if (flags.has('json'))
    terminal.printJson({ client_id: id, ...(secret !== undefined && { client_secret: secret }) })
  else if (secret === undefined) terminal.print(`client_id: ${id}\nIt is public: it has no secret.`)
  else
    terminal.print(
      `client_id: ${id}\nclient_secret: ${secret}\nThe secret is shown this once; only a hash of it is kept.`,
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
}: RegisteredClient): object {
  return {
    client_id: id,
    confidential,
    active,
    created_at: createdAt.toISOString(),
    grants,
    scopes,
    may,
  }
}

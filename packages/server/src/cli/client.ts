import { ConfigurationError } from '../base/configuration-error.ts'
import { byOperator } from '../features/audit/audit.ts'
import { findClientFaults, permissions, type RegisteredClient } from '../features/clients/clients.ts'
import { grants } from '../features/oauth/grants.ts'
import { scopeRulesOf } from '../features/scopes/scopes.ts'
import { requireExisting, withAccounts } from './accounts.ts'
import type { Call, CallFlags, Command } from './command.ts'

const grantTypes = grants.map(({ grantType }) => grantType)

/** These work on the database directly, beside a running server or without one. */
export const clientCommands: readonly Command[] = [
  {
    words: ['client', 'create'],
    operand: 'NAME',
    flags: { grants: { value: 'G,…' }, scopes: { value: 'S,…' }, may: { value: 'introspect' }, public: {}, json: {} },
    takesSettings: 'withoutKey',
    summary: `register a client and print its secret, once; grants are ${grantTypes.join(', ')}`,
    run: create,
  },
  {
    words: ['client', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'all clients, a line each: name, kind, state, since, grants, scopes, what else it may',
    run: list,
  },
  {
    words: ['client', 'rotate-secret'],
    operand: 'NAME',
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'give a client another secret and print it; the old one is refused at once',
    run: rotateSecret,
  },
  {
    words: ['client', 'disable'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'refuse a client and all its tokens, for good',
    run: disable,
  },
]

async function create({ operand: id, flags, terminal, settings }: Call): Promise<void> {
  const { options } = await settings()
  const client = {
    id,
    grants: readNames(flags, 'grants', grantTypes),
    scopes: readNames(flags, 'scopes', Object.keys(scopeRulesOf(options).declared)),
    may: readNames(flags, 'may', permissions),
    confidential: !flags.has('public'),
  }
  const faults = findClientFaults(client, grants)
  if (faults.length > 0) throw new ConfigurationError(faults.join('\n'))
  await withAccounts(options.database, async ({ clients }) => {
    const created = await clients.create(client, byOperator)
    if (created === 'taken') throw new ConfigurationError(`there is, or was, a client ${id}`)
    printSecret(id, created.secret, { flags, terminal })
  })
}

async function list({ flags, terminal, settings }: Call): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ clients }) => {
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

async function rotateSecret({ operand: id, flags, terminal, settings }: Call): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ clients }) => {
    const secret = await clients.rotateSecret(id, byOperator)
    if (secret === undefined) throw new ConfigurationError(`there is no client ${id} with a secret`)
    printSecret(id, secret, { flags, terminal })
  })
}

async function disable({ operand: id, terminal, settings }: Call): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ clients }) => {
    if (!(await clients.disable(id, byOperator)))
      throw new ConfigurationError(`there is no client ${id}, or it is disabled already`)
    terminal.print(`disabled ${id}; a running server refuses its tokens within a second`)
  })
}

/** Names with commas between them, each one of those that there are. */
function readNames<Name extends string>(flags: CallFlags, flag: string, known: readonly Name[]): readonly Name[] {
  const named = (flags.value(flag) ?? '').split(',').filter((name) => name !== '')
  const unknown = named.find((name) => !(known as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(
      `--${flag}: "${unknown}" is none of ${known.join(', ')}; there are commas between names`,
    )
  return known.filter((name) => named.includes(name))
}

function printSecret(
  id: string,
  secret: string | undefined,
  { flags, terminal }: Pick<Call, 'flags' | 'terminal'>,
): void {
  if (flags.has('json')) terminal.printJson({ client_id: id, ...(secret !== undefined && { client_secret: secret }) })
  else if (secret === undefined) terminal.print(`client_id: ${id}\nIt is public: it has no secret.`)
  else
    terminal.print(
      `client_id: ${id}\nclient_secret: ${secret}\nThe secret is shown this once; only a hash of it is kept.`,
    )
}

function wireClient({ id, confidential, active, createdAt, grants, scopes, may }: RegisteredClient): object {
  return { client_id: id, confidential, active, created_at: createdAt.toISOString(), grants, scopes, may }
}

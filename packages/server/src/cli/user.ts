import { readFileSync } from 'node:fs'
import { silentLogger, systemClock } from 'keystile/internal'
import { findPasswordFault } from '../features/password/password.ts'
import { parseEmail, parseUsername } from '../features/users/names.ts'
import type { CheckedOptions } from '../server/options.ts'
import { openAccounts, type Accounts } from '../server/wire.ts'
import { parseFlags, readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

const actions: Readonly<Record<string, typeof create>> = { create, list, disable }

/** `keystile user create|list|disable`: works on the database directly, beside a running server or without one. */
export async function user(args: readonly string[], terminal: Terminal): Promise<void> {
  const [action = '', ...rest] = args
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!run) throw new TypeError(`user takes one of ${Object.keys(actions).join(', ')}; see keystile help`)
  await run(rest, terminal)
}

async function create(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseFlags(args, {
    email: { type: 'string' },
    role: { type: 'string', multiple: true },
    scope: { type: 'string', multiple: true },
    'password-file': { type: 'string' },
  })
  const settings = await readSettings(values, terminal.environment)
  const { scopes: rules } = settings.options
  const username = parseUsername(only(positionals, 'user create NAME'))
  if (!username)
    throw new TypeError(
      'a user name has 2 to 63 letters, digits, dots, underscores or hyphens, and begins with a letter or digit',
    )
  const email = typeof values['email'] === 'string' ? parseEmail(values['email']) : undefined
  if (values['email'] !== undefined && !email) throw new TypeError('--email is no e-mail address')
  const roles = (values['role'] ?? []) as readonly string[]
  const scopes = (values['scope'] ?? []) as readonly string[]
  for (const role of roles)
    if (!Object.hasOwn(rules.roles, role))
      throw new TypeError(`--role ${role}: no such role; there are ${Object.keys(rules.roles).join(', ')}`)
  for (const scope of scopes)
    if (!Object.hasOwn(rules.declared, scope))
      throw new TypeError(`--scope ${scope}: no such scope; there are ${Object.keys(rules.declared).join(', ')}`)
  const password = await readPassword(values['password-file'], terminal)
  await withAccounts(settings.options.database, async ({ users, passwords }) => {
    const created = await users.create({
      username,
      email,
      passwordHash: await passwords.hash(password),
      scopes,
      roles,
      profile: {},
    })
    if ('taken' in created) throw new TypeError(`this ${created.taken} is already taken`)
    terminal.print(`created ${username.shown} (${created.user.public.id})`)
  })
}

async function list(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values } = parseFlags(args, {})
  const settings = await readSettings(values, terminal.environment)
  await withAccounts(settings.options.database, async ({ users }) => {
    for await (const { public: shown, roles, scopes, active } of users.list()) {
      const grants = [...roles.map((role) => `role:${role}`), ...scopes].join(' ')
      terminal.print(
        [
          shown.username,
          shown.email ?? '-',
          active ? 'active' : 'disabled',
          shown.createdAt.toISOString(),
          grants || '-',
        ].join('\t'),
      )
    }
  })
}

async function disable(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseFlags(args, {})
  const settings = await readSettings(values, terminal.environment)
  const login = only(positionals, 'user disable NAME')
  await withAccounts(settings.options.database, async ({ users }) => {
    const found = await users.findByLogin(login)
    if (!found) throw new TypeError(`there is no user ${login}`)
    await users.disable(found.public.id)
    terminal.print(`disabled ${found.public.username}; a running server refuses their tokens within a second`)
  })
}

async function withAccounts(
  database: CheckedOptions['database'],
  work: (accounts: Accounts) => Promise<void>,
): Promise<void> {
  const accounts = await openAccounts(database, { logger: silentLogger, clock: systemClock })
  try {
    await work(accounts)
  } finally {
    await accounts.close()
  }
}

function only(positionals: readonly string[], usage: string): string {
  if (positionals.length !== 1) throw new TypeError(`expected: keystile ${usage}`)
  return positionals[0]!
}

/** From a file, less the line end that editors leave, or typed twice. */
async function readPassword(file: unknown, terminal: Terminal): Promise<string> {
  const password = typeof file === 'string' ? readPasswordFile(file) : await terminal.askSecret('Password: ')
  const fault = findPasswordFault(password)
  if (fault) throw new TypeError(fault)
  if (file === undefined && (await terminal.askSecret('Password again: ')) !== password)
    throw new TypeError('the two passwords differ')
  return password
}

function readPasswordFile(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file)).replace(/\r?\n$/, '')
  } catch (error) {
    throw new TypeError(`--password-file cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

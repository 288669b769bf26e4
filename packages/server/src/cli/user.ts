import { readFileSync } from 'node:fs'
import { silentLogger, systemClock } from 'keystile/internal'
import { findPasswordFault } from '../features/password/password.ts'
import type { ScopeRules } from '../features/scopes/scopes.ts'
import { parseEmail, parseUsername } from '../features/users/names.ts'
import type { User, UserChange, Users } from '../features/users/users.ts'
import { wireManagedUser } from '../features/users/wire-user.ts'
import { openAccounts, type Accounts } from '../server/wire.ts'
import type { Call, CallFlags, Command } from './command.ts'
import type { Terminal } from './terminal.ts'

const pageSize = 500

/** These work on the database directly, beside a running server or without one. */
export const userCommands: readonly Command[] = [
  {
    words: ['user', 'create'],
    operand: 'NAME',
    flags: {
      email: { value: 'E' },
      role: { value: 'R', isList: true },
      scope: { value: 'S', isList: true },
      'password-file': { value: 'FILE' },
    },
    takesSettings: true,
    summary: 'make an account; asks for the password unless it is in a file',
    run: create,
  },
  {
    words: ['user', 'list'],
    flags: { json: {} },
    takesSettings: true,
    summary: 'all accounts, a line each: name, e-mail, state, since, roles and scopes',
    run: list,
  },
  {
    words: ['user', 'grant'],
    operand: 'NAME',
    flags: {
      role: { value: 'R', isList: true },
      scope: { value: 'S', isList: true },
      'remove-role': { value: 'R', isList: true },
      'remove-scope': { value: 'S', isList: true },
      now: {},
    },
    takesSettings: true,
    summary: 'change roles and scopes; they hold from the next login, and with --now all sessions end',
    run: grant,
  },
  {
    words: ['user', 'disable'],
    operand: 'NAME',
    takesSettings: true,
    summary: 'refuse a user and all their tokens',
    run: (call) =>
      changeUser(
        call,
        { active: false },
        ({ username }) => `disabled ${username}; a running server refuses their tokens within a second`,
      ),
  },
  {
    words: ['user', 'enable'],
    operand: 'NAME',
    takesSettings: true,
    summary: 'let a disabled user log in again',
    run: (call) => changeUser(call, { active: true }, ({ username }) => `enabled ${username}`),
  },
  {
    words: ['user', 'set-password'],
    operand: 'NAME',
    flags: { 'password-file': { value: 'FILE' } },
    takesSettings: true,
    summary: 'give a user another password and end all their sessions',
    run: setPassword,
  },
  {
    words: ['user', 'delete'],
    operand: 'NAME',
    takesSettings: true,
    summary: 'delete a user for good; nobody gets the name again',
    run: remove,
  },
]

async function create({ operand, flags, terminal, settings: readSettings }: Call): Promise<void> {
  const settings = await readSettings()
  const username = parseUsername(operand)
  if (!username) {
    throw new TypeError(
      'a user name has 2 to 63 letters, digits, dots, underscores or hyphens, and begins with a letter or digit',
    )
  }
  const typed = flags.value('email')
  const email = typed === undefined ? undefined : parseEmail(typed)
  if (typed !== undefined && !email) throw new TypeError('--email is no e-mail address')
  const roles = readNames(flags, 'role', settings.options.scopes)
  const scopes = readNames(flags, 'scope', settings.options.scopes)
  const password = await readPassword(flags.value('password-file'), terminal)
  await withAccounts(settings.options.database, async ({ users, passwords }) => {
    const passwordHash = await passwords.hash(password)
    const created = await users.create({ username, email, passwordHash, scopes, roles, profile: {} })
    if ('taken' in created) throw new TypeError(`this ${created.taken} is already taken`)
    terminal.print(`created ${username.shown} (${created.user.public.id})`)
  })
}

async function list({ flags, terminal, settings }: Call): Promise<void> {
  await withAccounts((await settings()).options.database, async ({ users }) => {
    for await (const user of listAll(users)) {
      const { public: shown, roles, scopes, active } = user
      const grants = [...roles.map((role) => `role:${role}`), ...scopes].join(' ')
      const columns = [
        shown.username,
        shown.email ?? '-',
        active ? 'active' : 'disabled',
        shown.createdAt.toISOString(),
        grants || '-',
      ]
      terminal.print(flags.has('json') ? JSON.stringify(wireManagedUser(user)) : columns.join('\t'))
    }
  })
}

async function* listAll(users: Users): AsyncIterable<User> {
  for (let page = await users.listAfter('', pageSize); page.length > 0;) {
    yield* page
    page = await users.listAfter(page.at(-1)!.public.username, pageSize)
  }
}

async function grant(call: Call): Promise<void> {
  const { flags } = call
  const { scopes: rules } = (await call.settings()).options
  const added = { roles: readNames(flags, 'role', rules), scopes: readNames(flags, 'scope', rules) }
  const removed = { roles: flags.list('remove-role'), scopes: flags.list('remove-scope') }
  const change = (user: User): UserChange => ({
    roles: [...new Set([...user.roles, ...added.roles])].filter((role) => !removed.roles.includes(role)),
    scopes: [...new Set([...user.scopes, ...added.scopes])].filter((scope) => !removed.scopes.includes(scope)),
    endsSessions: flags.has('now'),
  })
  await changeUser(call, change, ({ username }, { roles, scopes }) => {
    const held = [...roles.map((role) => `role:${role}`), ...scopes].join(' ')
    return `${username} has ${held || 'neither roles nor scopes'}`
  })
}

async function changeUser(
  { operand, terminal, settings }: Call,
  change: UserChange | ((user: User) => UserChange),
  say: (shown: User['public'], user: User) => string,
): Promise<void> {
  await withAccounts((await settings()).options.database, async ({ users }) => {
    const user = await getUser(users, operand)
    const outcome = await users.change(user, typeof change === 'function' ? change(user) : change)
    if (outcome === 'last-administrator') throw new TypeError('the last administrator must stay one')
    if (outcome === 'outdated') throw new TypeError('somebody else changed this user at the same time; try again')
    const changed = await getUser(users, user.public.username)
    terminal.print(say(changed.public, changed))
  })
}

async function setPassword({ operand, flags, terminal, settings }: Call): Promise<void> {
  const { database } = (await settings()).options
  const password = await readPassword(flags.value('password-file'), terminal)
  await withAccounts(database, async ({ users, passwords }) => {
    const user = await getUser(users, operand)
    const outcome = await users.changePassword(user, await passwords.hash(password))
    if (outcome === 'outdated') throw new TypeError('the password was changed at the same time; try again')
    terminal.print(`${user.public.username} has a new password and no sessions`)
  })
}

async function remove({ operand, terminal, settings }: Call): Promise<void> {
  await withAccounts((await settings()).options.database, async ({ users }) => {
    const user = await getUser(users, operand)
    if ((await users.delete(user)) === 'last-administrator') throw new TypeError('the last administrator must stay one')
    terminal.print(`deleted ${user.public.username}`)
  })
}

async function withAccounts(
  database: Parameters<typeof openAccounts>[0],
  work: (accounts: Accounts) => Promise<void>,
): Promise<void> {
  const accounts = await openAccounts(database, { logger: silentLogger, clock: systemClock })
  try {
    await work(accounts)
  } finally {
    await accounts.close()
  }
}

async function getUser(users: Users, login: string): Promise<User> {
  const user = await users.findByLogin(login)
  if (!user) throw new TypeError(`there is no user ${login}`)
  return user
}

function readNames(flags: CallFlags, flag: 'role' | 'scope', rules: ScopeRules): readonly string[] {
  const known = flag === 'role' ? rules.roles : rules.declared
  for (const name of flags.list(flag)) {
    if (!Object.hasOwn(known, name))
      throw new TypeError(`--${flag} ${name}: no such ${flag}; there are ${Object.keys(known).join(', ')}`)
  }
  return flags.list(flag)
}

/** From a file, less the line end that editors leave, or typed twice. */
async function readPassword(file: string | undefined, terminal: Terminal): Promise<string> {
  const password = file === undefined ? await terminal.askSecret('Password: ') : readPasswordFile(file)
  const fault = findPasswordFault(password)
  if (fault) throw new TypeError(fault)
  if (file === undefined && (await terminal.askSecret('Password again: ')) !== password) {
    throw new TypeError('the two passwords differ')
  }
  return password
}

function readPasswordFile(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file)).replace(/\r?\n$/, '')
  } catch (error) {
    throw new TypeError(`--password-file cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

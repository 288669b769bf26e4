import { readFileSync } from 'node:fs'
import { parseJsonObject, type JsonObject } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import { byOperator } from '../features/audit/audit.ts'
import { createPasswordPolicy, type PasswordOwner } from '../features/password-policy/policy.ts'
import { scopeRulesOf, type ScopeRules } from '../features/scopes/scopes.ts'
import { parseEmail, parseUsername } from '../features/directory/names.ts'
import { checkProfile, type Profile, type ProfileSchema } from '../features/accounts/profile.ts'
import type { User, UserChange, Users } from '../features/accounts/users.ts'
import { wireManagedUser } from '../features/accounts/wire-user.ts'
import type { CheckedOptions } from '../server/options.ts'
import type { Accounts } from '../server/open-accounts.ts'
import { requireExisting, withAccounts } from './accounts.ts'
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
      profile: { value: 'FILE' },
      'password-file': { value: 'FILE' },
    },
    takesSettings: 'withoutKey',
    summary: 'make an account; asks for the password unless it is in a file; the profile is JSON',
    run: create,
  },
  {
    words: ['user', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
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
    takesSettings: 'withoutKey',
    summary: 'change roles and scopes; they hold from the next login, and with --now all sessions end',
    run: grant,
  },
  {
    words: ['user', 'disable'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
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
    takesSettings: 'withoutKey',
    summary: 'let a disabled user log in again',
    run: (call) => changeUser(call, { active: true }, ({ username }) => `enabled ${username}`),
  },
  {
    words: ['user', 'set-password'],
    operand: 'NAME',
    flags: { 'password-file': { value: 'FILE' } },
    takesSettings: 'withoutKey',
    summary: 'give a user another password and end all their sessions',
    run: setPassword,
  },
  {
    words: ['user', 'delete'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'delete a user for good; nobody gets the name again',
    run: remove,
  },
]

async function create({ operand, flags, terminal, settings: readSettings }: Call): Promise<void> {
  const settings = await readSettings()
  const username = parseUsername(operand)
  if (!username) {
    throw new ConfigurationError(
      'a user name has 2 to 63 letters, digits, dots, underscores or hyphens, and begins with a letter or digit',
    )
  }
  const typed = flags.value('email')
  const email = typed === undefined ? undefined : parseEmail(typed)
  if (typed !== undefined && !email) throw new ConfigurationError('--email is no e-mail address')
  const rules = scopeRulesOf(settings.options)
  const roles = readNames(flags, 'role', rules)
  const scopes = readNames(flags, 'scope', rules)
  const profile = await readProfile(flags.value('profile'), settings.options.profile)
  const { database, passwordHashing } = settings.options
  const owner = { username: username.shown, email: email?.shown }
  const password = await readPassword(flags.value('password-file'), { owner, terminal, options: settings.options })
  const work = async ({ users, passwords }: Accounts): Promise<void> => {
    const passwordHash = await passwords.hash(password)
    const created = await users.create({ username, email, passwordHash, scopes, roles, profile }, byOperator)
    if ('taken' in created) throw new ConfigurationError(`this ${created.taken} is already taken`)
    terminal.print(`created ${username.shown} (${created.user.publicUser.id})`)
  }
  await withAccounts(database, work, passwordHashing)
}

async function list({ flags, terminal, settings }: Call): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ users }) => {
    for await (const user of listAll(users)) {
      const { publicUser: shown, roles, scopes, active } = user
      const grants = [...roles.map((role) => `role:${role}`), ...scopes].join(' ')
      const columns = [
        shown.username,
        shown.email ?? '-',
        active ? 'active' : 'disabled',
        shown.createdAt.toISOString(),
        grants || '-',
      ]
      if (flags.has('json')) terminal.printJson(wireManagedUser(user))
      else terminal.printRow(columns)
    }
  })
}

async function* listAll(users: Users): AsyncIterable<User> {
  let after: string | undefined = ''
  while (after !== undefined) {
    const page: readonly User[] = await users.listAfter(after, pageSize)
    yield* page
    after = page.at(-1)?.publicUser.username
  }
}

async function grant(call: Call): Promise<void> {
  const { flags } = call
  const rules = scopeRulesOf((await call.settings()).options)
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
  say: (shown: User['publicUser'], user: User) => string,
): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ users }) => {
    const user = await getUser(users, operand)
    const outcome = await users.change(user, typeof change === 'function' ? change(user) : change, byOperator)
    if (outcome === 'last-administrator') throw new ConfigurationError('the last administrator must stay one')
    if (outcome === 'outdated')
      throw new ConfigurationError('somebody else changed this user at the same time; try again')
    const changed = await getUser(users, user.publicUser.username)
    terminal.print(say(changed.publicUser, changed))
  })
}

async function setPassword({ operand, flags, terminal, settings }: Call): Promise<void> {
  const { options } = await settings()
  const work = async ({ users, passwords }: Accounts): Promise<void> => {
    const user = await getUser(users, operand)
    const owner = user.publicUser
    const password = await readPassword(flags.value('password-file'), { owner, terminal, options })
    const outcome = await users.changePassword(user, await passwords.hash(password), byOperator)
    if (outcome === 'outdated') throw new ConfigurationError('the password was changed at the same time; try again')
    terminal.print(`${owner.username} has a new password and no sessions`)
  }
  await withAccounts(requireExisting(options.database), work, options.passwordHashing)
}

async function remove({ operand, terminal, settings }: Call): Promise<void> {
  await withAccounts(requireExisting((await settings()).options.database), async ({ users }) => {
    const user = await getUser(users, operand)
    if ((await users.delete(user, byOperator)) === 'last-administrator')
      throw new ConfigurationError('the last administrator must stay one')
    terminal.print(`deleted ${user.publicUser.username}`)
  })
}

async function getUser(users: Users, login: string): Promise<User> {
  const user = await users.findByLogin(login)
  if (!user) throw new ConfigurationError(`there is no user ${login}`)
  return user
}

function readNames(flags: CallFlags, flag: 'role' | 'scope', rules: ScopeRules): readonly string[] {
  const known = flag === 'role' ? rules.roles : rules.declared
  for (const name of flags.list(flag)) {
    if (!Object.hasOwn(known, name))
      throw new ConfigurationError(`--${flag} ${name}: no such ${flag}; there are ${Object.keys(known).join(', ')}`)
  }
  return flags.list(flag)
}

/** What the profile schema makes of a file; without one, of nothing. */
async function readProfile(file: string | undefined, schema: ProfileSchema | undefined): Promise<Profile> {
  let members: JsonObject = {}
  try {
    if (file !== undefined) members = parseJsonObject(readFileSync(file))
  } catch (error) {
    throw new ConfigurationError(`--profile cannot be read: ${(error as Error).message}`)
  }
  const { errors, profile } = await checkProfile(members, schema, [])
  if (errors.length === 0) return profile
  const faults = errors.map(({ loc, msg }) => `${loc.slice(1).join('.')} ${msg}`.trim())
  throw new ConfigurationError(`the profile does not fit its schema (give --profile FILE): ${faults.join('; ')}`)
}

/** From a file, less the line end that editors leave, or typed twice. */
async function readPassword(
  file: string | undefined,
  call: { readonly owner: PasswordOwner; readonly terminal: Terminal; readonly options: CheckedOptions },
): Promise<string> {
  const { owner, terminal, options } = call
  const password = file === undefined ? await terminal.askSecret('Password: ') : readPasswordFile(file)
  const policy = createPasswordPolicy({ issuer: options.issuer, minLength: options.passwordMinLength })
  const fault = policy.findFault(password, owner)
  if (fault) throw new ConfigurationError(fault)
  if (file === undefined && (await terminal.askSecret('Password again: ')) !== password) {
    throw new ConfigurationError('the two passwords differ')
  }
  return password
}

function readPasswordFile(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file)).replace(/\r?\n$/, '')
  } catch (error) {
    throw new ConfigurationError(`--password-file cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

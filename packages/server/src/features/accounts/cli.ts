import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call } from '../../feature/cli-command.ts'
import { byOperator } from '../audit/audit.ts'
import { parseEmail, parseUsername } from '../directory/names.ts'
import { withEventFeed } from '../events/cli.ts'
import { openHashThreads } from '../password/hash-threads.ts'
import type { HashingCost } from '../password/hashing-cost.ts'
import { createPasswords } from '../password/password.ts'
import { readNames, readPassword, readProfile, type InputOptions } from './cli-input.ts'
import { scopeRulesOf } from '../scopes/scopes.ts'
import { createUsers, type User, type UserChange, type Users } from './users.ts'
import { wireManagedUser } from './wire-user.ts'

const pageSize = 500

/** What the commands ask for. */
export interface Options extends InputOptions {
  readonly passwordHashing: HashingCost
}

export async function create(call: Call<Options>): Promise<void> {
  const { operand, flags, terminal } = call
  const { options } = await call.settings()
  const username = parseUsername(operand)
  if (!username) {
    throw new ConfigurationError(
      'a user name has 2 to 63 letters, digits, dots, underscores or hyphens, and begins with a letter or digit',
    )
  }
  const typed = flags.value('email')
  const email = typed === undefined ? undefined : parseEmail(typed)
  if (typed !== undefined && !email) throw new ConfigurationError('--email is no e-mail address')
  const rules = scopeRulesOf(options)
  const roles = readNames(flags, 'role', rules)
  const scopes = readNames(flags, 'scope', rules)
  const profile = await readProfile(flags.value('profile'), options.profile)
  const owner = { username: username.shown, email: email?.shown }
  const password = await readPassword(flags.value('password-file'), { owner, terminal, options })

  const work = async (users: Users): Promise<void> => {
    const passwordHash = await hashPassword(password, options.passwordHashing)
    const created = await users.create(
      { username, email, passwordHash, scopes, roles, profile },
      byOperator,
    )
    if ('taken' in created) throw new ConfigurationError(`this ${created.taken} is already taken`)
    terminal.print(`created ${username.shown} (${created.user.publicUser.id})`)
  }
  await withUsers(call, work, { mayCreate: true })
}

export async function list(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  await withUsers(call, async (users) => {
    for await (const user of listAll(users)) {
      const { publicUser: shown, active } = user
      const columns = [
        shown.username,
        shown.email ?? '-',
        active ? 'active' : 'disabled',
        shown.createdAt.toISOString(),
        describeGrants(user) || '-',
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

export async function grant(call: Call<Options>): Promise<void> {
  const { flags } = call
  const rules = scopeRulesOf((await call.settings()).options)
  const added = { roles: readNames(flags, 'role', rules), scopes: readNames(flags, 'scope', rules) }
  const removed = { roles: flags.list('remove-role'), scopes: flags.list('remove-scope') }
  const change = (user: User): UserChange => ({
    roles: [...new Set([...user.roles, ...added.roles])].filter(
      (role) => !removed.roles.includes(role),
    ),
    scopes: [...new Set([...user.scopes, ...added.scopes])].filter(
      (scope) => !removed.scopes.includes(scope),
    ),
    endsSessions: flags.has('now'),
  })
  await changeUser(
    call,
    change,
    (user) =>
      `${user.publicUser.username} has ${describeGrants(user) || 'neither roles nor scopes'}`,
  )
}

export async function disable(call: Call<Options>): Promise<void> {
  await changeUser(
    call,
    () => ({ active: false }),
    ({ publicUser }) =>
      `disabled ${publicUser.username}; a running server refuses their tokens within a second`,
  )
}

export async function enable(call: Call<Options>): Promise<void> {
  await changeUser(
    call,
    () => ({ active: true }),
    ({ publicUser }) => `enabled ${publicUser.username}`,
  )
}

async function changeUser(
  call: Call<Options>,
  changeOf: (user: User) => UserChange,
  say: (changed: User) => string,
): Promise<void> {
  await withUsers(call, async (users) => {
    const user = await getUser(users, call.operand)
    const outcome = await users.change(user, changeOf(user), byOperator)
    if (outcome === 'last-administrator')
      throw new ConfigurationError('the last administrator must stay one')
    if (outcome === 'outdated')
      throw new ConfigurationError('somebody else changed this user at the same time; try again')
    call.terminal.print(say(await getUser(users, user.publicUser.username)))
  })
}

export async function setPassword(call: Call<Options>): Promise<void> {
  const { operand, flags, terminal } = call
  const { options } = await call.settings()
  await withUsers(call, async (users) => {
    const user = await getUser(users, operand)
    const owner = user.publicUser
    const password = await readPassword(flags.value('password-file'), { owner, terminal, options })
    const hash = await hashPassword(password, options.passwordHashing)
    const outcome = await users.changePassword(user, hash, byOperator)
    if (outcome === 'outdated')
      throw new ConfigurationError('the password was changed at the same time; try again')
    terminal.print(`${owner.username} has a new password and no sessions`)
  })
}

export async function remove(call: Call<Options>): Promise<void> {
  await withUsers(call, async (users) => {
    const user = await getUser(users, call.operand)
    if ((await users.delete(user, byOperator)) === 'last-administrator')
      throw new ConfigurationError('the last administrator must stay one')
    call.terminal.print(`deleted ${user.publicUser.username}`)
  })
}

async function withUsers(
  call: Call<Options>,
  work: (users: Users) => Promise<void>,
  options?: { readonly mayCreate: boolean },
): Promise<void> {
  await withEventFeed(
    call,
    (database, feed) => work(createUsers(database, feed, call.clock)),
    options,
  )
}

async function hashPassword(password: string, cost: HashingCost): Promise<string> {
  const threads = openHashThreads()
  try {
    return await createPasswords(threads, cost).hash(password)
  } finally {
    await threads.close()
  }
}

async function getUser(users: Users, login: string): Promise<User> {
  const user = await users.findByLogin(login)
  if (!user) throw new ConfigurationError(`there is no user ${login}`)
  return user
}

function describeGrants({ roles, scopes }: User): string {
  return [...roles.map((role) => `role:${role}`), ...scopes].join(' ')
}

// The `keystile user` commands. Each command opens the database itself. In the audit record, the
// actor of each change is the operator.
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import type { Database } from '../../../storage/database.ts'
import type { PasswordOwner } from '../../credentials/password-policy/policy.ts'
import { openHashThreads } from '../../credentials/password/hash-threads.ts'
import type { HashingCost } from '../../credentials/password/hashing-cost.ts'
import { createPasswords } from '../../credentials/password/password.ts'
import type { OptionalNotice } from '../../mail/messages/message.ts'
import { createNotices, noNotices } from '../../mail/messages/notices.ts'
import { byOperator } from '../../operations/audit/by.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { withEventFeed } from '../../tokens/events/with-event-feed.ts'
import { parseEmail, parseUsername } from '../directory/names.ts'
import { hasAppUsers, readScopeRules } from '../scopes/declared.ts'
import { changeRights, namesOfRights } from '../scopes/scopes.ts'
import { readNames, readPassword, readProfile, type InputOptions } from './cli-input.ts'
import type { User } from './user.ts'
import { createUsers, type UserChange, type Users } from './users.ts'
import { wireManagedUser } from './wire-user.ts'

/**
 * The number of users that one query of `user list` reads. A database can have more users than fit
 * in memory.
 */
const pageSize = 500

export interface Options extends InputOptions {
  readonly passwordHashing: HashingCost
  readonly mailUrl?: string | undefined
  readonly disabledNotices?: readonly OptionalNotice[]
}

/** `keystile user create`: creates an account, even while registration is closed. */
export async function create(call: Call<Options>): Promise<void> {
  const { operand, flags, terminal } = call
  const { options } = await call.settings()

  const username = parseUsername(operand)
  if (!username)
    throw new ConfigurationError(
      'a user name must have 2 to 63 letters, digits, dots, underscores or hyphens, ' +
        'and begin with a letter or digit',
    )
  const typed = flags.value('email')
  const email = typed === undefined ? undefined : parseEmail(typed)
  if (typed !== undefined && !email)
    throw new ConfigurationError('--email must be an e-mail address, such as ada@example.com')

  const profile = await readProfile(flags.value('profile'), options.profile)
  const owner = { username: username.shown, email: email?.shown }

  const work = async (users: Users, database: Database): Promise<void> => {
    const rules = await readScopeRules(database, options)
    const roles = readNames(flags, 'role', rules)
    const scopes = readNames(flags, 'scope', rules)
    const passwordHash = await readPasswordHash(call, options, owner)
    const fresh = { username, email, passwordHash, scopes, roles, profile }
    const created = await users.create(fresh, byOperator)
    if ('taken' in created) throw new ConfigurationError(`this ${created.taken} is already taken`)
    terminal.print(`created ${username.shown} (${created.user.publicUser.id})`)
  }
  await withUsers(call, work, { mayCreate: true })
}

/** `keystile user list`: prints each user on one line, as text or as a JSON object. */
export async function list(call: Call<Options>): Promise<void> {
  await withUsers(call, (users) => printList(call, listAll(users), userList))
}

const userList: Listing<User> = {
  columns: [
    { title: 'NAME', width: 16, show: ({ publicUser }) => publicUser.username },
    { title: 'ID', width: 22, show: ({ publicUser }) => publicUser.id },
    { title: 'E-MAIL', width: 28, show: ({ publicUser }) => publicUser.email },
    { title: 'STATE', width: 8, show: ({ active }) => (active ? 'active' : 'disabled') },
    { title: 'CREATED', width: 24, show: ({ publicUser }) => publicUser.createdAt.toISOString() },
    { title: 'ROLES AND SCOPES', width: 0, show: (user) => namesOfRights(user).join(' ') || null },
  ],
  wire: wireManagedUser,
  none: 'there are no users',
}

/** Yields all users in the order of their names. */
async function* listAll(users: Users): AsyncIterable<User> {
  let after: string | undefined = ''
  while (after !== undefined) {
    const page: readonly User[] = await users.listAfter(after, pageSize)
    yield* page
    after = page.at(-1)?.publicUser.username
  }
}

/**
 * `keystile user grant`: adds and removes roles and scopes. Roles and scopes that are no longer
 * declared can be removed too.
 */
export async function grant(call: Call<Options>): Promise<void> {
  const { flags } = call
  const { options } = await call.settings()
  await changeUser(call, {
    async decide(user, database) {
      const rules = await readScopeRules(database, options)
      const rights = changeRights(user, {
        roles: readNames(flags, 'role', rules),
        scopes: readNames(flags, 'scope', rules),
        removeRoles: flags.list('remove-role'),
        removeScopes: flags.list('remove-scope'),
      })
      return { ...rights, endsSessions: flags.has('now') }
    },
    say: (user) =>
      `${user.publicUser.username} has ` +
      (namesOfRights(user).join(' ') || 'neither roles nor scopes'),
  })
}

/** `keystile user disable`: stops a user from logging in and revokes the user's tokens. */
export function disable(call: Call<Options>): Promise<void> {
  const said = 'a running server refuses their tokens within a second'
  return changeUser(call, {
    decide: () => ({ active: false }),
    say: ({ publicUser }) => `disabled ${publicUser.username}; ${said}`,
  })
}

/** `keystile user enable`: lets a disabled user log in again. Ended sessions stay ended. */
export function enable(call: Call<Options>): Promise<void> {
  return changeUser(call, {
    decide: () => ({ active: true }),
    say: ({ publicUser }) => `enabled ${publicUser.username}`,
  })
}

interface Change {
  decide(user: User, database: Database): UserChange | Promise<UserChange>
  /** Returns what to print about the changed user. */
  say(changed: User): string
}

/**
 * Changes the user that the operand names. Fails if another process changes the user in the
 * meantime.
 */
async function changeUser(call: Call<Options>, { decide, say }: Change): Promise<void> {
  await withUsers(call, async (users, database) => {
    const user = await userNamed(call.operand, users)
    const outcome = await users.change(user, await decide(user, database), byOperator)
    if (outcome === 'last-administrator') throw lastAdministrator()
    if (outcome === 'outdated')
      throw new ConfigurationError('another process changed this user at the same time; try again')
    call.terminal.print(say(await userNamed(user.publicUser.username, users)))
  })
}

/** `keystile user set-password`: sets a password and ends all sessions of the user. */
export async function setPassword(call: Call<Options>): Promise<void> {
  const { options } = await call.settings()
  await withUsers(call, async (users) => {
    const user = await userNamed(call.operand, users)
    const hash = await readPasswordHash(call, options, user.publicUser)
    if ((await users.changePassword(user, hash, byOperator)) === 'outdated')
      throw new ConfigurationError('the password was changed at the same time; try again')
    call.terminal.print(`${user.publicUser.username} has a new password and no sessions`)
  })
}

/** `keystile user delete`: deletes a user's data for good. Asks first on a terminal. */
export async function remove(call: Call<Options>): Promise<void> {
  await withUsers(call, async (users) => {
    const user = await userNamed(call.operand, users)
    if (!call.flags.has('yes')) await confirmDeletion(user, call)
    if ((await users.delete(user, byOperator)) === 'last-administrator') throw lastAdministrator()
    call.terminal.print(`deleted ${user.publicUser.username}`)
  })
}

/** @throws {ConfigurationError} if the operator does not type the name of the user */
async function confirmDeletion(
  { publicUser: { username } }: User,
  { terminal }: Call<Options>,
): Promise<void> {
  const question = `This deletes ${username} for good. To go on, type the user name: `
  const typed = await terminal.ask(question)
  if (typed !== undefined && typed.trim() !== username)
    throw new ConfigurationError(`nothing was deleted: the answer must be ${username}`)
}

function lastAdministrator(): ConfigurationError {
  return new ConfigurationError(
    'the last administrator must stay an administrator; give another user the role admin first',
  )
}

async function withUsers(
  call: Call<Options>,
  work: (users: Users, database: Database) => Promise<void>,
  options?: { readonly mayCreate: boolean },
): Promise<void> {
  const { ofUser, clock } = call
  const { mailUrl, disabledNotices } = (await call.settings()).options
  const notices = mailUrl === undefined ? noNotices : createNotices(noSeal, clock, disabledNotices)
  const workOn = async (database: Database, feed: EventFeed): Promise<void> => {
    if (!(await hasAppUsers(database)))
      return work(createUsers(database, feed, clock, { ofUser, notices }), database)
    throw new ConfigurationError(
      'the `user` commands are for accounts that Keystile stores; the app that uses this ' +
        'database stores its users itself (its option users). Fix: change the user there; to ' +
        'end all sessions of a user, call keystile.sessions.revokeAll(subject) in the app',
    )
  }
  await withEventFeed(call, workOn, options)
}

/**
 * Stands for the function that encrypts the IP address in a notice. A change on the command line
 * has no IP address, so nothing calls this function.
 */
function noSeal(): never {
  throw new Error('a notice from the command line must have no IP address')
}

/**
 * Reads a new password and hashes it with the server's parameters, in a thread. Closes the thread
 * afterwards.
 */
async function readPasswordHash(
  { flags, terminal }: Call<Options>,
  options: Options,
  owner: PasswordOwner,
): Promise<string> {
  const password = await readPassword(flags.value('password-file'), { owner, terminal, options })
  const threads = openHashThreads()
  try {
    return await createPasswords(threads, options.passwordHashing).hash(password)
  } finally {
    await threads.close()
  }
}

async function userNamed(login: string, users: Users): Promise<User> {
  const user = await users.findByLogin(login)
  if (!user) throw new ConfigurationError(`there is no user ${login}`)
  return user
}

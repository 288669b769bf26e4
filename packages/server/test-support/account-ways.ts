// The two ways to manage accounts: the endpoints and `keystile.users`. With them, one test can
// check that the same rules apply to both.
import assert from 'node:assert/strict'
import { ProblemError } from 'keystile'
import { password, tokensOf, type Answer, type Stage, type TestKeystile } from './keystile.ts'

/** The names of the two ways, for the titles of suites. */
export const ways = ['the endpoints', 'keystile.users'] as const
export type Way = (typeof ways)[number]

/** A user who can log in. */
export interface Person {
  readonly id: string
  readonly bearer: string
}

/**
 * The status and the body of an answer. For a call of `keystile.users`, the status and the body
 * that the endpoint for the same operation returns.
 */
export type Outcome = Pick<Answer, 'status' | 'json'>

/** The operations that exist in both ways. */
export interface AccountWay {
  register(fields?: Readonly<Record<string, unknown>>): Promise<Outcome>
  changeProfile(user: Person, fields: Readonly<Record<string, unknown>>): Promise<Outcome>
  setPassword(user: Person, newPassword: string): Promise<Outcome>
  /** Grants scopes and roles that the user does not have yet. */
  give(user: Person, rights: Readonly<Record<string, unknown>>): Promise<Outcome>
  /** Removes all roles of the user. */
  demote(user: Person): Promise<Outcome>
  setDisabled(user: Person, disabled: boolean): Promise<Outcome>
  remove(user: Person): Promise<Outcome>
}

/** Starts Keystile with one administrator, `root`. */
export async function startWay(
  way: Way,
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<{
  readonly started: TestKeystile
  readonly root: Person
  readonly by: AccountWay
  /** Registers a user and logs the user in. */
  add(username: string): Promise<Person>
}> {
  const started = await stage.start(options)
  const add = async (username: string): Promise<Person> => {
    const { subject, accessToken } = await started.tokens(username)
    return { id: subject, bearer: accessToken }
  }

  const id = await started.addUser({ username: 'root', email: 'root@example.com' })
  await stage.sql(`update "user" set roles = '["admin"]' where id = '${id}'`)
  const { accessToken } = tokensOf((await started.login({ username: 'root' })).json)
  const root = { id, bearer: accessToken }
  const by = way === 'the endpoints' ? overHttp(started, root) : inCode(started)
  return { started, root, by, add }
}

function overHttp({ register, send }: TestKeystile, { bearer }: Person): AccountWay {
  const patch = (user: Person, json: object): Promise<Outcome> =>
    send('PATCH', `/users/${user.id}`, { bearer, json })
  return {
    register,
    changeProfile: (user, json) => send('PATCH', '/users/me', { bearer: user.bearer, json }),
    setPassword: (user, newPassword) =>
      send('POST', '/users/me/password', {
        bearer: user.bearer,
        json: { current_password: password, new_password: newPassword },
      }),
    give: patch,
    demote: (user) => patch(user, { roles: [] }),
    setDisabled: (user, disabled) => patch(user, { disabled }),
    remove: (user) => send('DELETE', `/users/${user.id}`, { bearer }),
  }
}

function inCode({ keystile: { users } }: TestKeystile): AccountWay {
  assert.ok(users)
  const ada = { username: 'ada', email: 'ada@example.com', password }
  return {
    register: (fields) => outcomeOf(201, users.create({ ...ada, ...fields })),
    changeProfile: ({ id }, fields) => outcomeOf(200, users.update(id, fields)),
    setPassword: ({ id }, newPassword) => outcomeOf(204, users.setPassword(id, newPassword)),
    give: ({ id }, rights) => outcomeOf(200, users.grant(id, rights)),
    demote: ({ id }) => outcomeOf(200, users.grant(id, { removeRoles: ['admin'] })),
    setDisabled: ({ id }, disabled) =>
      outcomeOf(200, disabled ? users.disable(id) : users.enable(id)),
    remove: ({ id }) => outcomeOf(204, users.delete(id)),
  }
}

async function outcomeOf(status: number, called: Promise<object | void>): Promise<Outcome> {
  try {
    return { status, json: { ...(await called) } }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return { status: error.status, json: { detail: error.message, errors: error.errors } }
  }
}

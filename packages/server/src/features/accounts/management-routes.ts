import * as z from 'zod'
import { ProblemError, type FieldError, type JsonObject } from 'keystile/internal'
import { describeFields, readFields, refuseFaults, strictFields } from '../../http/json-body.ts'
import { emptyAnswer, jsonAnswer, queryOf, type GuardedRoute } from '../../http/route.ts'
import { byCaller, type CallerIdentity } from '../audit/audit.ts'
import { parseUsername } from '../directory/names.ts'
import { givesRights, mayGive, type ScopeRules } from '../scopes/scopes.ts'
import type { ProfileSchema } from './profile.ts'
import { accountRoute, outdated } from './route-parts.ts'
import type { User, UserChange, Users } from './users.ts'
import { describeManagedUser, wireManagedUser } from './wire-user.ts'

/** The caller of a route for all accounts. */
export interface ManagementCaller {
  readonly identity: CallerIdentity & { readonly scopes: readonly string[] }
}

/** What the routes for all accounts need. */
export interface ManagementParts {
  readonly users: Users
  readonly scopes: ScopeRules
  readonly profile: ProfileSchema | undefined
}

type ManagementRoute = GuardedRoute<ManagementCaller>

/** All accounts, for callers with `users:read` and `users:write`. */
export function managementRoutes(parts: ManagementParts): readonly ManagementRoute[] {
  return [
    listUsersRoute(parts),
    readUserRoute(parts),
    changeUserRoute(parts),
    deleteUserRoute(parts),
  ]
}

const mayRead = { ...accountRoute, guard: { scopes: ['users:read'] } } as const
const mayWrite = { ...accountRoute, guard: { scopes: ['users:write'] } } as const
const absent = { 404: 'There is no such user' }

const defaultPageSize = 50
const maxPageSize = 200

function listUsersRoute({ users, profile }: ManagementParts): ManagementRoute {
  return {
    ...mayRead,
    method: 'GET',
    path: '/users',
    doc: {
      tag: 'All accounts',
      summary: 'List users',
      description:
        'In the order of their names. `next` is the `after` of the following page, and null on the last one.',
      query: {
        limit: { type: 'integer', minimum: 1, maximum: maxPageSize, default: defaultPageSize },
        after: {
          type: 'string',
          pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$',
          description: 'The name after which the page begins',
        },
      },
      success: {
        status: 200,
        description: 'A page of users',
        schema: {
          type: 'object',
          properties: {
            users: { type: 'array', items: describeManagedUser(profile) },
            next: { type: ['string', 'null'] },
          },
          required: ['users', 'next'],
        },
      },
      refuses: { 422: 'The limit or the name is not as it is expected' },
    },
    async handle(request) {
      const query = queryOf(request)
      const limit = readLimit(query.get('limit'))
      const page = await users.listAfter(readCursor(query.get('after')), limit + 1)

      const shown = page.slice(0, limit)
      const next = page.length > limit ? (shown.at(-1)?.publicUser.username ?? null) : null
      return jsonAnswer(200, { users: shown.map(wireManagedUser), next })
    },
  }
}

function readLimit(text: string | null): number {
  const limit = text === null ? defaultPageSize : /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= maxPageSize) return limit
  throw wrongQuery('limit', `Input should be a whole number from 1 to ${maxPageSize}`)
}

/** A user name. No user needs to have it: it is only a place in the order. */
function readCursor(text: string | null): string | undefined {
  if (text === null) return undefined
  if (!parseUsername(text)) throw wrongQuery('after', 'Input should be a user name')
  return text
}

function wrongQuery(name: string, msg: string): ProblemError {
  return new ProblemError('unprocessable_content', `${name}: ${msg}`, {
    errors: [{ loc: ['query', name], msg, type: 'value_error' }],
  })
}

function readUserRoute({ users, profile }: ManagementParts): ManagementRoute {
  return {
    ...mayRead,
    method: 'GET',
    path: '/users/{id}',
    doc: {
      tag: 'All accounts',
      summary: 'Read a user',
      success: { status: 200, description: 'The user', schema: describeManagedUser(profile) },
      refuses: absent,
    },
    handle: async ({ params }) =>
      jsonAnswer(200, wireManagedUser(await getUser(params['id'], users))),
  }
}

const names = z.array(z.string({ error: 'Input should be a valid string' }), {
  error: 'Input should be a list of names',
})
const userChange = strictFields({
  scopes: names.optional(),
  roles: names.optional(),
  disabled: z.boolean({ error: 'Input should be true or false' }).optional(),
})

function changeUserRoute({ users, scopes: rules, profile }: ManagementParts): ManagementRoute {
  return {
    ...mayWrite,
    method: 'PATCH',
    path: '/users/{id}',
    doc: {
      tag: 'All accounts',
      summary: "Change a user's scopes and roles, disable or enable them",
      description:
        'What is left out stays as it is. To add a scope or a role, or to enable a user, the caller must hold every scope that the user then holds; to give the role admin, or to give anything to an administrator, the caller must be an administrator. A user who is disabled loses all sessions at once; scopes that are taken away are gone with the next token.',
      body: { type: 'json', schema: describeChange(rules) },
      success: {
        status: 200,
        description: 'The changed user',
        schema: describeManagedUser(profile),
      },
      refuses: {
        ...absent,
        403: 'The user would hold a scope that the caller does not hold, or be an administrator',
        409: 'Changed at the same time, or the last administrator',
      },
    },
    async handle(request, { identity }) {
      const { scopes, roles, disabled } = await readFields(userChange, request)
      refuseFaults([
        ...findUnknown('scopes', scopes, rules.declared),
        ...findUnknown('roles', roles, rules.roles),
      ])

      const user = await getUser(request.params['id'], users)
      const change = {
        scopes: scopes && [...new Set(scopes)],
        roles: roles && [...new Set(roles)],
        active: disabled === undefined ? undefined : !disabled,
      }
      const author = await findAuthor(user, change, identity, { users, rules })
      const outcome = await users.change(user, change, byCaller(request, identity), author)
      if (outcome === 'outdated') throw outdated()
      if (outcome === 'last-administrator') throw lastAdministrator()

      return jsonAnswer(200, wireManagedUser(await getUser(request.params['id'], users)))
    },
  }
}

/** `userChange` with the names that exist. */
function describeChange({ declared, roles }: ScopeRules): JsonObject {
  const described = describeFields(userChange) as { readonly properties: object }
  const listOf = (names: object): JsonObject => ({
    type: 'array',
    items: { type: 'string', enum: Object.keys(names) },
  })
  return {
    ...described,
    properties: { ...described.properties, scopes: listOf(declared), roles: listOf(roles) },
  }
}

function findUnknown(
  field: string,
  named: readonly string[] = [],
  known: object,
): readonly FieldError[] {
  if (named.every((name) => Object.hasOwn(known, name))) return []
  return [
    {
      loc: ['body', field],
      msg: `Input should be names among ${Object.keys(known).join(', ')}`,
      type: 'value_error',
    },
  ]
}

// decisions/0015-rights-as-stored.md
/**
 * Reads the caller anew where a change gives rights. Undefined where it only takes rights away:
 * that needs no more than the scope of the route, so that anybody on duty can act in an emergency.
 *
 * @throws {ProblemError} `forbidden` when the caller may not give these rights
 */
async function findAuthor(
  user: User,
  { scopes = user.scopes, roles = user.roles, active = user.active }: UserChange,
  identity: ManagementCaller['identity'],
  { users, rules }: { readonly users: Users; readonly rules: ScopeRules },
): Promise<User | undefined> {
  const after = { scopes, roles, active }
  if (!givesRights(user, after)) return undefined

  const author = await users.readBySubject(identity.subject)
  if (author?.active && mayGive(after, { ...author, tokenScopes: identity.scopes }, rules))
    return author
  throw new ProblemError(
    'forbidden',
    'The caller must hold every scope that the user would hold, and be an administrator if the user would be one',
  )
}

function deleteUserRoute({ users }: ManagementParts): ManagementRoute {
  return {
    ...mayWrite,
    method: 'DELETE',
    path: '/users/{id}',
    doc: {
      tag: 'All accounts',
      summary: 'Delete a user',
      success: { status: 204, description: 'Deleted; all their tokens are refused' },
      refuses: { ...absent, 409: 'The last administrator' },
    },
    async handle(request, { identity }) {
      const user = await getUser(request.params['id'], users)
      const outcome = await users.delete(user, byCaller(request, identity))
      if (outcome === 'last-administrator') throw lastAdministrator()
      return emptyAnswer
    },
  }
}

/**
 * Reads a user anew: a decision on a cached user could undo what another process has changed since.
 *
 * @throws {ProblemError} `not_found`
 */
async function getUser(id: string | undefined, users: Users): Promise<User> {
  const user = id === undefined ? undefined : await users.readBySubject(id)
  if (!user) throw new ProblemError('not_found', 'There is no such user')
  return user
}

function lastAdministrator(): ProblemError {
  return new ProblemError('conflict', 'The last administrator must stay one')
}

import * as z from 'zod'
import { ProblemError, type FieldError, type JsonObject } from 'keystile/internal'
import { checkFields, describeFields, readJsonObject, refuseFaults, strictFields } from '../../http/json-body.ts'
import { emptyAnswer, jsonAnswer, queryOf, type Route } from '../../http/route.ts'
import { byCaller, type CallerIdentity } from '../audit/audit.ts'
import { givesRights, mayGive, type ScopeRules } from '../scopes/scopes.ts'
import { parseUsername } from '../directory/names.ts'
import { outdated, type ProfileSchema } from './profile.ts'
import type { User, UserChange, Users } from './users.ts'
import { describeManagedUser, wireManagedUser } from './wire-user.ts'

const defaultPageSize = 50
const maxPageSize = 200

const names = z.array(z.string({ error: 'Input should be a valid string' }), {
  error: 'Input should be a list of names',
})
const userChange = strictFields({
  scopes: names.optional(),
  roles: names.optional(),
  disabled: z.boolean({ error: 'Input should be true or false' }).optional(),
})

/** Who has called, as these routes need to know them. */
export interface ManagementCaller {
  readonly identity: CallerIdentity & { readonly scopes: readonly string[] }
}

/** All accounts, for those who hold `users:read` and `users:write`. */
export function managementRoutes({
  users,
  scopes: rules,
  profile,
}: {
  readonly users: Users
  readonly scopes: ScopeRules
  readonly profile: ProfileSchema | undefined
}): readonly Route<ManagementCaller>[] {
  const common = { below: 'issuer', refusals: 'problem' } as const
  const mayRead = { scopes: ['users:read'] }
  const mayWrite = { scopes: ['users:write'] }
  const schema = describeManagedUser(profile)
  const absent = { 404: 'There is no such user' }

  async function getUser(id: string | undefined): Promise<User> {
    // Read anew: what is decided on a cached user could undo what another process has changed since.
    const user = id === undefined ? undefined : await users.readBySubject(id)
    if (!user) throw new ProblemError('not_found', 'There is no such user')
    return user
  }

  /**
   * The caller, as stored now, where a change gives rights; taking rights away needs no more than the route's scope.
   *
   * @throws {ProblemError} `forbidden` when the caller may not give them
   */
  async function findAuthor(
    user: User,
    { scopes = user.scopes, roles = user.roles, active = user.active }: UserChange,
    identity: ManagementCaller['identity'],
  ): Promise<User | undefined> {
    const after = { scopes, roles, active }
    if (!givesRights(user, after)) return undefined
    const author = await users.readBySubject(identity.subject)
    if (author?.active && mayGive(after, { ...author, tokenScopes: identity.scopes }, rules)) return author
    throw new ProblemError(
      'forbidden',
      'The caller must hold every scope that the user would hold, and be an administrator if the user would be one',
    )
  }

  return [
    {
      ...common,
      method: 'GET',
      path: '/users',
      guard: mayRead,
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
            properties: { users: { type: 'array', items: schema }, next: { type: ['string', 'null'] } },
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
    },
    {
      ...common,
      method: 'GET',
      path: '/users/{id}',
      guard: mayRead,
      doc: {
        tag: 'All accounts',
        summary: 'Read a user',
        success: { status: 200, description: 'The user', schema },
        refuses: absent,
      },
      handle: async ({ params }) => jsonAnswer(200, wireManagedUser(await getUser(params['id']))),
    },
    {
      ...common,
      method: 'PATCH',
      path: '/users/{id}',
      guard: mayWrite,
      doc: {
        tag: 'All accounts',
        summary: "Change a user's scopes and roles, disable or enable them",
        description:
          'What is left out stays as it is. To add a scope or a role, or to enable a user, the caller must hold every scope that the user then holds; to give the role admin, or to give anything to an administrator, the caller must be an administrator. A user who is disabled loses all sessions at once; scopes that are taken away are gone with the next token.',
        body: { type: 'json', schema: describeChange(rules) },
        success: { status: 200, description: 'The changed user', schema },
        refuses: {
          ...absent,
          403: 'The user would hold a scope that the caller does not hold, or be an administrator',
          409: 'Changed at the same time, or the last administrator',
        },
      },
      async handle(request, { identity }) {
        const { errors, fields } = checkFields(userChange, await readJsonObject(request))
        refuseFaults(errors)
        const { scopes, roles, disabled } = fields!
        refuseFaults([...findUnknown('scopes', scopes, rules.declared), ...findUnknown('roles', roles, rules.roles)])
        const user = await getUser(request.params['id'])
        const change = {
          scopes: scopes && [...new Set(scopes)],
          roles: roles && [...new Set(roles)],
          active: disabled === undefined ? undefined : !disabled,
        }
        const author = await findAuthor(user, change, identity)
        const outcome = await users.change(user, change, byCaller(request, identity), author)
        if (outcome === 'outdated') throw outdated()
        if (outcome === 'last-administrator') throw lastAdministrator()
        return jsonAnswer(200, wireManagedUser(await getUser(request.params['id'])))
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/users/{id}',
      guard: mayWrite,
      doc: {
        tag: 'All accounts',
        summary: 'Delete a user',
        success: { status: 204, description: 'Deleted; all their tokens are refused' },
        refuses: { ...absent, 409: 'The last administrator' },
      },
      async handle(request, { identity }) {
        const outcome = await users.delete(await getUser(request.params['id']), byCaller(request, identity))
        if (outcome === 'last-administrator') throw lastAdministrator()
        return emptyAnswer
      },
    },
  ]
}

function readLimit(text: string | null): number {
  const limit = text === null ? defaultPageSize : /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= maxPageSize) return limit
  throw wrongQuery('limit', `Input should be a whole number from 1 to ${maxPageSize}`)
}

/** A user name, also one that nobody has any more: it is only a place in the order. */
function readCursor(text: string | null): string {
  if (text === null) return ''
  if (!parseUsername(text)) throw wrongQuery('after', 'Input should be a user name')
  return text
}

function wrongQuery(name: string, msg: string): ProblemError {
  return new ProblemError('unprocessable_content', `${name}: ${msg}`, {
    errors: [{ loc: ['query', name], msg, type: 'value_error' }],
  })
}

function findUnknown(field: string, named: readonly string[] = [], known: object): readonly FieldError[] {
  if (named.every((name) => Object.hasOwn(known, name))) return []
  return [
    { loc: ['body', field], msg: `Input should be names among ${Object.keys(known).join(', ')}`, type: 'value_error' },
  ]
}

/** `userChange`, with the names that there are. */
function describeChange({ declared, roles }: ScopeRules): JsonObject {
  const described = describeFields(userChange) as { readonly properties: object }
  const listOf = (names: object): JsonObject => ({ type: 'array', items: { type: 'string', enum: Object.keys(names) } })
  return { ...described, properties: { ...described.properties, scopes: listOf(declared), roles: listOf(roles) } }
}

function lastAdministrator(): ProblemError {
  return new ProblemError('conflict', 'The last administrator must stay one')
}

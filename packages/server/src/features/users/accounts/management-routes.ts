// The endpoints for administrators: list, read, change and delete any account.
import { ProblemError } from 'keystile/internal'
import * as z from 'zod'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields } from '../../../http/fields.ts'
import { readFields, refuseFaults } from '../../../http/json-body.ts'
import { queryOf } from '../../../http/request.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import { byCaller, type CallerIdentity } from '../../operations/audit/by.ts'
import { givesRights, heldScopes, mayGive, type ScopeRules } from '../scopes/scopes.ts'
import { findUndeclared, namesField } from './account-fields.ts'
import {
  accountRoute,
  deletionDemands,
  type AccountDoc,
  type AccountParts,
} from './account-route.ts'
import { getUser } from './get-user.ts'
import { refuseConflict } from './refusals.ts'
import { defaultPageSize, maxPageSize, readUserPage } from './user-page.ts'
import type { User } from './user.ts'
import type { UserChange } from './users.ts'
import { describeManagedUser, wireManagedUser, wireRights } from './wire-user.ts'

export interface ManagementCaller {
  readonly identity: CallerIdentity & { readonly scopes: readonly string[] }
}

type ManagementParts = Pick<AccountParts, 'users' | 'scopes' | 'profile'>
type ManagementRoute = GuardedRoute<ManagementCaller>

/**
 * Returns the routes that manage any account. Reading requires the scope `users:read`; changing and
 * deleting require `users:write`.
 */
export function managementRoutes(parts: ManagementParts): readonly ManagementRoute[] {
  return [
    listUsersRoute(parts),
    readUserRoute(parts),
    changeUserRoute(parts),
    deleteUserRoute(parts),
  ]
}

/** Begins a route about any account. */
function managementRoute(
  method: ManagementRoute['method'],
  path: string,
  scope: 'users:read' | 'users:write',
  doc: AccountDoc,
): Omit<ManagementRoute, 'handle'> {
  const route = accountRoute(method, path, { ...doc, tag: 'All accounts' })
  return { ...route, guard: { scopes: [scope] } }
}

const absent = { 404: 'There is no such user' }

/** `GET /users`: lists users, a page at a time. */
function listUsersRoute({ users, profile }: ManagementParts): ManagementRoute {
  return {
    ...managementRoute('GET', '/users', 'users:read', {
      summary: 'List users',
      description:
        'In the order of their names. `next` is the `after` of the following page, ' +
        'and null on the last page.',
      query: {
        limit: { type: 'integer', minimum: 1, maximum: maxPageSize, default: defaultPageSize },
        after: {
          type: 'string',
          pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$',
          description: 'The page begins with the first name after this one',
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
      refuses: { 422: 'The limit or the name is not valid' },
    }),
    async handle(request) {
      const query = queryOf(request)
      const [after, limit] = [query.get('after'), query.get('limit')]
      const { page, next } = await readUserPage(users, {
        ...(after !== null && { after }),
        ...(limit !== null && { limit: /^\d{1,4}$/.test(limit) ? Number(limit) : NaN }),
      })
      return jsonAnswer(200, { users: page.map(wireManagedUser), next })
    },
  }
}

/** `GET /users/{id}`: reads any user. */
function readUserRoute({ users, profile }: ManagementParts): ManagementRoute {
  return {
    ...managementRoute('GET', '/users/{id}', 'users:read', {
      summary: 'Read a user',
      success: { status: 200, description: 'The user', schema: describeManagedUser(profile) },
      refuses: absent,
    }),
    handle: async ({ params }) =>
      jsonAnswer(200, wireManagedUser(await getUser(params['id'], users))),
  }
}

/** The body of a change. Its JSON Schema allows only declared scopes and roles. */
function changeFields({ declared, roles }: ScopeRules) {
  const listOf = (names: object): typeof namesField =>
    namesField.meta({ items: { type: 'string', enum: Object.keys(names) } })
  return strictFields({
    scopes: listOf(declared).optional(),
    roles: listOf(roles).optional(),
    disabled: z.boolean({ error: 'Input should be true or false' }).optional(),
  })
    .refine((fields) => Object.keys(fields).length > 0, {
      error: 'Field required: at least one of scopes, roles and disabled',
    })
    .meta({ minProperties: 1 })
}

/**
 * `PATCH /users/{id}`: changes scopes, roles and access. To give rights to a user, a caller must
 * also hold these rights. Otherwise every caller with the scope `users:write` could become an
 * administrator.
 */
function changeUserRoute(parts: ManagementParts): ManagementRoute {
  const { users, scopes: rules, profile } = parts
  const userChange = changeFields(rules)

  return {
    ...managementRoute('PATCH', '/users/{id}', 'users:write', {
      summary: "Change a user's scopes and roles, or disable or enable the user",
      description:
        'Members that are left out stay as they are; at least one is needed. To add a scope or ' +
        'a role, or to enable a user, the caller must hold every scope that the user would ' +
        'hold, and must have every role that the user would have or be an administrator. ' +
        'Disabling a user ends all their sessions at once. A removed scope is missing from ' +
        'the next token of the user. Without the scope users:read, the answer has only the ' +
        'members id, scopes, roles and disabled.',
      body: { type: 'json', schema: describeFields(userChange) },
      success: {
        status: 200,
        description: 'The changed user',
        schema: {
          ...describeManagedUser(profile),
          required: ['id', 'scopes', 'roles', 'disabled'],
        },
      },
      refuses: {
        ...absent,
        403: 'The caller lacks users:write, or a scope or role that the user would have',
        409: 'The user or the caller has just been changed, or the user is the last administrator',
      },
    }),
    async handle(request, { identity }) {
      const { scopes, roles, disabled } = await readFields(userChange, request)
      refuseFaults(findUndeclared({ scopes, roles }, rules))

      const author = await findAuthor(identity, parts)
      const user = await getUser(request.params['id'], users)
      const change = {
        scopes: scopes && [...new Set(scopes)],
        roles: roles && [...new Set(roles)],
        active: disabled === undefined ? undefined : !disabled,
      }
      refuseGift(user, change, { ...author, tokenScopes: identity.scopes }, rules)
      refuseConflict(await users.change(user, change, byCaller(request, identity), author))

      const changed = await getUser(request.params['id'], users)
      const mayReadUsers = identity.scopes.includes('users:read')
      return jsonAnswer(200, mayReadUsers ? wireManagedUser(changed) : wireRights(changed))
    },
  }
}

// decisions/0015-rights-as-stored.md
/**
 * Returns the caller as read from the database: the token may still have rights that the caller has
 * lost.
 *
 * @throws {ProblemError} `forbidden` when the caller no longer holds `users:write`
 */
async function findAuthor(
  { subject }: ManagementCaller['identity'],
  { users, scopes: rules }: ManagementParts,
): Promise<User> {
  const author = await users.readBySubject(subject)
  if (author?.active && heldScopes(author, rules).includes('users:write')) return author
  throw new ProblemError('forbidden', 'The caller no longer has the scope users:write')
}

/**
 * Checks that the caller may give the rights that a change adds. A change that only removes rights
 * needs no further rights, so that every manager can act in an emergency.
 *
 * @throws {ProblemError} `forbidden` when the caller may not give these rights
 */
function refuseGift(
  user: User,
  { scopes = user.scopes, roles = user.roles, active = user.active }: UserChange,
  caller: Parameters<typeof mayGive>[1],
  rules: ScopeRules,
): void {
  const after = { scopes, roles, active }
  if (!givesRights(user, after) || mayGive(after, caller, rules)) return
  throw new ProblemError(
    'forbidden',
    'After the change, the user must hold only scopes and roles that the caller holds, ' +
      'and be an administrator only if the caller is one',
  )
}

/**
 * `DELETE /users/{id}`: deletes any user except the last administrator. With the own id, it demands
 * what `DELETE /users/me` does: a stolen token must not go around that.
 */
function deleteUserRoute(parts: ManagementParts): ManagementRoute {
  const { users } = parts
  return {
    ...managementRoute('DELETE', '/users/{id}', 'users:write', {
      summary: 'Delete a user',
      description: 'With your own id, it also demands what DELETE /users/me demands.',
      success: { status: 204, description: 'Deleted. All tokens of the user are refused' },
      refuses: {
        ...absent,
        403: 'The caller lacks users:write; or: with your own id, another client got the token',
        409: 'The user is the last administrator, or the caller has just been changed',
      },
    }),
    ofOwnId: deletionDemands,
    async handle(request, { identity }) {
      const author = await findAuthor(identity, parts)
      const user = await getUser(request.params['id'], users)
      refuseConflict(await users.delete(user, byCaller(request, identity), author))
      return emptyAnswer
    },
  }
}

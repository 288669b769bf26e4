import type { JsonObject } from 'keystile/internal'
import * as z from 'zod'
import { strictFields, stringField } from '../../../http/fields.ts'
import { checkFields, getFields, refuseFaults } from '../../../http/json-body.ts'
import { byApp } from '../../operations/audit/by.ts'
import { changeRights } from '../scopes/scopes.ts'
import {
  emailField,
  findPasswordErrors,
  findUndeclared,
  namesField,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
import type { AccountParts } from './account-route.ts'
import type { AppInvitations, AppUsers, ManagedUser } from './app-users.ts'
import { findUser, getUser } from './get-user.ts'
import { getAccountFields } from './new-account-body.ts'
import { checkProfileChange } from './profile.ts'
import { refuseConflict, taken } from './refusals.ts'
import { readUserPage } from './user-page.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

export interface AppUsersParts extends AccountParts {
  /** Undefined if Keystile sends no mails. */
  readonly invitations: AppInvitations | undefined
}

type Managed = ManagedUser<User['publicUser']>

/** Creates the methods of `keystile.users`. */
export function createAppUsers(parts: AppUsersParts): AppUsers<string, User['publicUser']> {
  const { users, passwords, passwordPolicy, scopes: rules, profile } = parts

  /** Changes a user, and returns the user as stored afterwards. */
  async function change(
    id: string,
    write: (user: User) => ReturnType<Users['change']>,
  ): Promise<Managed> {
    refuseConflict(await write(await getUser(id, users)))
    return managedUserOf(await getUser(id, users))
  }

  function invitationsOf(method: keyof AppInvitations): AppInvitations {
    if (parts.invitations) return parts.invitations
    throw new TypeError(`users.${method}() needs mail. Fix: give the option mail or mailUrl`)
  }

  return {
    create: (user) => create(given(user), parts),
    invite: async (invitation) => invitationsOf('invite').invite(invitation),
    listInvitations: async (page) => invitationsOf('listInvitations').listInvitations(page),
    uninvite: async (email) => invitationsOf('uninvite').uninvite(email),
    async find(by) {
      const user = await ('id' in by ? findUser(by.id, users) : users.findByLogin(by.login))
      return user && managedUserOf(user)
    },
    async list(wanted = {}) {
      const { page, next } = await readUserPage(users, wanted)
      return { users: page.map(managedUserOf), next }
    },
    update: (id, fields) =>
      change(id, async (user) => {
        const checked = await checkProfileChange(user.profile, given(fields), profile)
        refuseFaults(checked.errors)
        return users.replaceProfile(user, checked.profile, byApp)
      }),
    async grant(id, { endsSessions, ...grant }) {
      const names = getFields(checkFields(rightsFields, given(grant)))
      refuseFaults(findUndeclared(names, rules))
      return change(id, (user) =>
        users.change(user, { ...changeRights(user, names), endsSessions }, byApp),
      )
    },
    disable: (id) => change(id, (user) => users.change(user, { active: false }, byApp)),
    enable: (id) => change(id, (user) => users.change(user, { active: true }, byApp)),
    async setPassword(id, password) {
      const user = await getUser(id, users)
      getFields(
        checkFields(strictFields({ password: stringField() }), given({ password })),
        findPasswordErrors('password', password, user.publicUser, passwordPolicy),
      )
      const hash = await passwords.hash(password)
      refuseConflict(await users.changePassword(user, hash, byApp))
    },
    async delete(id) {
      refuseConflict(await users.delete(await getUser(id, users), byApp))
    },
  }
}

const rightsFields = strictFields({
  scopes: namesField.optional(),
  roles: namesField.optional(),
  removeScopes: namesField.optional(),
  removeRoles: namesField.optional(),
})

async function create(
  members: JsonObject,
  { users, passwords, passwordPolicy, scopes: rules, profile }: AppUsersParts,
): Promise<Managed> {
  const schema = z.object({
    username: usernameField,
    email: emailField.nullish(),
    emailVerified: z.boolean({ error: 'Input should be true or false' }).default(false),
    password: newPasswordField(passwordPolicy),
    scopes: namesField.default([]),
    roles: namesField.default([]),
  })
  const checked = await getAccountFields(schema, members, profile)
  const { password, ...fields } = checked.fields
  const email = fields.email ?? undefined

  const owner = { username: fields.username.shown, email: email?.shown }
  refuseFaults([
    ...(fields.emailVerified && !email ? [missingEmail] : []),
    ...findUndeclared(fields, rules),
    ...findPasswordErrors('password', password, owner, passwordPolicy),
  ])

  const rights = changeRights({ scopes: [], roles: [] }, fields)
  const passwordHash = await passwords.hash(password)
  const fresh = { ...fields, email, ...rights, passwordHash, profile: checked.profile }
  const created = await users.create(fresh, byApp)
  if ('taken' in created) throw taken(created.taken)
  return managedUserOf(created.user)
}

/** The fault that is reported if a new user has `emailVerified: true` but no address. */
const missingEmail = {
  loc: ['body', 'email'],
  msg: 'Field required if emailVerified is true',
  type: 'missing',
} as const

/** Removes members whose value is undefined, as `JSON.stringify()` does. */
function given(members: object): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function managedUserOf({ publicUser, scopes, roles, active }: User): Managed {
  return { ...publicUser, scopes, roles, disabled: !active }
}

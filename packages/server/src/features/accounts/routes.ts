import * as z from 'zod'
import { ProblemError, type FieldError, type JsonObject } from 'keystile/internal'
import {
  checkFields,
  describeFields,
  readJsonObject,
  refuseFaults,
  strictFields,
  stringField,
} from '../../http/json-body.ts'
import { emptyAnswer, jsonAnswer, type Route } from '../../http/route.ts'
import { addressOf, byCaller, byStranger, type Audit, type CallerIdentity } from '../audit/audit.ts'
import type { By } from '../audit/entry.ts'
import { maxBytes, type Passwords } from '../password/password.ts'
import type { PasswordOwner, PasswordPolicy } from '../password-policy/policy.ts'
import { useOf, type Limits } from '../limits/limits.ts'
import { parseEmail, parseUsername } from '../directory/names.ts'
import type { AccountEvent } from './audit-events.ts'
import { checkProfile, describeProfileInput, outdated, withoutReserved, type ProfileSchema } from './profile.ts'
import { emailRate, profileRate, proofRate, registrationRate } from './rates.ts'
import type { User, Users } from './users.ts'
import { describeUser, wireUser } from './wire-user.ts'

/** Whoever deletes their account has logged in so recently. */
const deletionMaxAgeSeconds = 300

const usernameRule =
  'Username should have 2 to 63 letters, digits, dots, underscores or hyphens, and begin with a letter or digit'
const emailRule = 'value is not a valid email address: it should have one part, an @-sign and a domain with a dot'

const emailAddress = stringField()
  .meta({ format: 'email', example: 'ada@example.com' })
  .transform((text, context) => parseEmail(text) ?? fault(context, emailRule))

/** A new password as the documentation has it; what is wrong with one is said by `findPasswordErrors`, for it depends on other fields. */
function newPassword({ minLength }: PasswordPolicy): z.ZodString {
  return stringField().meta({ format: 'password', minLength, maxLength: maxBytes })
}

/** What `POST /users` expects beside the profile. */
const describeRegistration = (policy: PasswordPolicy) =>
  z.object({
    username: stringField()
      .meta({ minLength: 2, maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', example: 'ada' })
      .transform((text, context) => parseUsername(text) ?? fault(context, usernameRule)),
    email: emailAddress,
    password: newPassword(policy),
  })

const currentPassword = stringField().meta({ format: 'password' })

const emailChange = strictFields({ current_password: currentPassword, new_email: emailAddress })

const tooMany = 'Too many tries'

/** Who has called, as these routes need to know them. */
export interface AccountCaller {
  readonly identity: CallerIdentity
  readonly user: User
}

/** A person's own account. */
export function accountRoutes(options: {
  readonly issuer: string
  readonly users: Users
  readonly passwords: Passwords
  readonly passwordPolicy: PasswordPolicy
  readonly audit: Audit<AccountEvent>
  readonly limits: Limits
  readonly registration: 'open' | 'closed'
  readonly profile: ProfileSchema | undefined
}): readonly Route<AccountCaller>[] {
  const { issuer, users, passwords, passwordPolicy, audit, limits, profile } = options
  const common = { below: 'issuer', refusals: 'problem' } as const
  const self = { scopes: [] }
  const userSchema = describeUser(profile)
  const registration = describeRegistration(passwordPolicy)
  const registrationFields = Object.keys(registration.shape)
  const passwordChange = strictFields({
    current_password: currentPassword,
    new_password: newPassword(passwordPolicy),
  })

  function findPasswordErrors(field: string, password: unknown, owner: PasswordOwner): readonly FieldError[] {
    const msg = typeof password === 'string' ? passwordPolicy.findFault(password, owner) : undefined
    return msg === undefined ? [] : [{ loc: ['body', field], msg, type: 'value_error' }]
  }

  /**
   * Counted by session, so that a stolen token does not keep its owner from changing the password elsewhere.
   *
   * @throws {ProblemError} `forbidden` when it is not the user's password, `too_many_requests`
   */
  async function prove(password: string, user: User, by: By): Promise<void> {
    const spent = await limits.count([useOf(proofRate, by.sessionId ?? user.publicUser.id)])
    const isProved = await passwords.verify(password, user.passwordHash, by.address).catch(async (error: unknown) => {
      await limits.refund(spent)
      throw error
    })
    if (isProved) return limits.refund(spent)
    await audit.record({ event: 'password_refused', by, subject: user.publicUser.id })
    throw new ProblemError('forbidden', 'The current password is wrong')
  }

  return [
    {
      ...common,
      method: 'POST',
      path: '/users',
      doc: {
        tag: 'Own account',
        summary: 'Register',
        body: {
          type: 'json',
          schema: merge(describeFields(registration), describeProfileInput(profile, registrationFields)),
        },
        success: {
          status: 201,
          description: 'The new user',
          schema: userSchema,
          headers: { Location: 'Where the user is' },
        },
        refuses: { 403: 'Registration is closed', 409: 'The username or the email is taken', 429: tooMany },
      },
      async handle(request) {
        if (options.registration === 'closed') throw new ProblemError('forbidden', 'Registration is closed')
        const body = await readJsonObject(request)
        const { errors, fields } = checkFields(registration, body)
        const extra = await checkProfile(omit(body, registrationFields), profile, registrationFields)
        refuseFaults([...errors, ...extra.errors])
        const { username, email, password } = fields!
        // Counted before the password is judged, which takes longer than all else that may refuse.
        await limits.count(limits.usesAt(registrationRate, addressOf(request)))
        const owner = { username: username.shown, email: email.shown }
        refuseFaults(findPasswordErrors('password', password, owner))
        const passwordHash = await passwords.hash(password, addressOf(request))
        const fresh = { username, email, passwordHash, scopes: [], roles: [], profile: extra.profile }
        const created = await users.create(fresh, byStranger(request))
        if ('taken' in created) throw taken(created.taken)
        const { user } = created
        return jsonAnswer(201, wireUser(user.publicUser), { location: `${issuer}/users/${user.publicUser.id}` })
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/users/me',
      guard: self,
      doc: {
        tag: 'Own account',
        summary: 'Who the token belongs to',
        success: { status: 200, description: 'The user', schema: userSchema },
      },
      handle: (_request, { user }) => jsonAnswer(200, wireUser(user.publicUser)),
    },
    {
      ...common,
      method: 'PATCH',
      path: '/users/me',
      guard: self,
      isFirstPartyOnly: true,
      doc: {
        tag: 'Own account',
        summary: 'Change profile fields',
        description: 'What is left out stays as it is.',
        body: { type: 'json', schema: { ...describeProfileInput(profile, []), required: [] } },
        success: { status: 200, description: 'The changed user', schema: userSchema },
        refuses: { 409: 'The user was changed at the same time', 429: 'Too many changes' },
      },
      async handle(request, { identity, user }) {
        const change = await readJsonObject(request)
        // Without a schema any member is unknown; with one, the whole profile must be valid after the change.
        const merged = profile ? { ...withoutReserved(user.profile), ...change } : change
        const checked = await checkProfile(merged, profile, [])
        refuseFaults(checked.errors)
        await limits.count([useOf(profileRate, user.publicUser.id)])
        const outcome = await users.replaceProfile(user, checked.profile, byCaller(request, identity))
        if (outcome === 'outdated') throw outdated()
        const changed = await users.findBySubject(user.publicUser.id)
        if (!changed) throw outdated()
        return jsonAnswer(200, wireUser(changed.publicUser))
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/users/me/password',
      guard: self,
      isFirstPartyOnly: true,
      doc: {
        tag: 'Own account',
        summary: 'Change the password',
        description: 'Ends every other session of the user.',
        body: { type: 'json', schema: describeFields(passwordChange) },
        success: { status: 204, description: 'Changed' },
        refuses: {
          403: 'The current password is wrong, or the token was issued to another client',
          409: 'The password was changed at the same time',
          429: tooMany,
        },
      },
      async handle(request, { identity, user }) {
        const body = await readJsonObject(request)
        const { errors, fields } = checkFields(passwordChange, body)
        refuseFaults([...errors, ...findPasswordErrors('new_password', body['new_password'], user.publicUser)])
        const by = byCaller(request, identity)
        await prove(fields!.current_password, user, by)
        const hash = await passwords.hash(fields!.new_password, by.address)
        if ((await users.changePassword(user, hash, by)) === 'outdated') throw outdated()
        return emptyAnswer
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/users/me/email',
      guard: self,
      isFirstPartyOnly: true,
      doc: {
        tag: 'Own account',
        summary: 'Change the e-mail address',
        description: 'The new one counts as not verified. Sessions go on.',
        body: { type: 'json', schema: describeFields(emailChange) },
        success: { status: 204, description: 'Changed' },
        refuses: {
          403: 'The current password is wrong, or the token was issued to another client',
          409: 'The email is taken, or the password was changed at the same time',
          429: tooMany,
        },
      },
      async handle(request, { identity, user }) {
        const { errors, fields } = checkFields(emailChange, await readJsonObject(request))
        refuseFaults(errors)
        const by = byCaller(request, identity)
        await prove(fields!.current_password, user, by)
        await limits.count([useOf(emailRate, user.publicUser.id)])
        const outcome = await users.changeEmail(user, fields!.new_email, by)
        if (outcome === 'taken') throw taken('email')
        if (outcome === 'outdated') throw outdated()
        return emptyAnswer
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/users/me',
      guard: { ...self, maxAgeSeconds: deletionMaxAgeSeconds },
      isFirstPartyOnly: true,
      doc: {
        tag: 'Own account',
        summary: 'Delete the account',
        description: `Needs a login of the last ${deletionMaxAgeSeconds} seconds (RFC 9470).`,
        success: { status: 204, description: 'Deleted' },
        refuses: { 409: 'The last administrator cannot be deleted' },
      },
      async handle(request, { identity, user }) {
        if ((await users.delete(user, byCaller(request, identity))) === 'last-administrator') {
          throw new ProblemError('conflict', 'The last administrator cannot be deleted')
        }
        return emptyAnswer
      },
    },
  ]
}

function taken(field: 'username' | 'email'): ProblemError {
  return new ProblemError('conflict', `This ${field} is already taken`)
}

function omit(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}

/** One object schema with the members of two. */
function merge(one: JsonObject, other: JsonObject): JsonObject {
  type ObjectSchema = { readonly properties?: object; readonly required?: readonly string[] }
  const [a, b]: readonly ObjectSchema[] = [one, other]
  return {
    ...other,
    type: 'object',
    properties: { ...b?.properties, ...a?.properties },
    required: [...(b?.required ?? []), ...(a?.required ?? [])],
  }
}

function fault(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

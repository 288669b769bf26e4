import { z } from 'zod'
import { ProblemError, type FieldError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import { checkFields, readJsonObject, refuseFaults, stringField } from '../../http/json-body.ts'
import { jsonAnswer, type Route } from '../../http/route.ts'
import { findPasswordFault, type Passwords } from '../password/password.ts'
import { parseEmail, parseUsername } from './names.ts'
import type { Profile, ProfileSchema, User, Users } from './users.ts'

const usernameRule =
  'Username should have 2 to 63 letters, digits, dots, underscores or hyphens, and begin with a letter or digit'
const emailRule = 'value is not a valid email address: it should have one part, an @-sign and a domain with a dot'

/** What `POST /users` expects beside the profile. */
const registration = z.object({
  username: stringField().transform((text, context) => parseUsername(text) ?? fault(context, usernameRule)),
  email: stringField().transform((text, context) => parseEmail(text) ?? fault(context, emailRule)),
  password: stringField().superRefine((password, context) => {
    const message = findPasswordFault(password)
    if (message) context.addIssue({ code: 'custom', message })
  }),
})
const registrationFields = new Set(Object.keys(registration.shape))

export function userRoutes(options: {
  readonly issuer: string
  readonly users: Users
  readonly passwords: Passwords
  readonly registration: 'open' | 'closed'
  readonly profile: ProfileSchema | undefined
  /** The user that the request's token belongs to. @throws {TokenError} where there is none */
  authenticate(request: HttpRequestWithBody): Promise<User['public']>
}): readonly Route[] {
  const { issuer, users, passwords, profile } = options

  return [
    {
      method: 'POST',
      path: '/users',
      below: 'issuer',
      refusals: 'problem',
      async handle(request) {
        if (options.registration === 'closed') throw new ProblemError('forbidden', 'Registration is closed')
        const body = await readJsonObject(request)
        const { errors, fields } = checkFields(registration, body)
        const extra = await checkProfile(body, profile)
        refuseFaults([...errors, ...extra.errors])
        const { username, email, password } = fields!
        const passwordHash = await passwords.hash(password)
        const created = await users.create({
          username,
          email,
          passwordHash,
          scopes: [],
          roles: [],
          profile: extra.profile,
        })
        if ('taken' in created) throw new ProblemError('conflict', `This ${created.taken} is already taken`)
        const { user } = created
        return jsonAnswer(201, wireUser(user.public), { location: `${issuer}/users/${user.public.id}` })
      },
    },
    {
      method: 'GET',
      path: '/users/me',
      below: 'issuer',
      refusals: 'problem',
      handle: async (request) => jsonAnswer(200, wireUser(await options.authenticate(request))),
    },
  ]
}

/** The public user as JSON: profile fields first, so that none of them can stand in for one of ours. */
export function wireUser({ id, username, email, emailVerified, createdAt, ...profile }: User['public']): object {
  return { ...profile, id, username, email, email_verified: emailVerified, created_at: createdAt.toISOString() }
}

/** The members beside ours, by the application's schema. Without one there are none. */
async function checkProfile(
  body: JsonObject,
  schema: ProfileSchema | undefined,
): Promise<{ readonly errors: readonly FieldError[]; readonly profile: Profile }> {
  const members = Object.entries(body).filter(([name]) => !registrationFields.has(name))
  if (!schema) {
    const errors =
      members.length > 0
        ? [
            {
              loc: ['body'],
              msg: `Unknown members; expected are ${[...registrationFields].join(', ')}`,
              type: 'extra_forbidden',
            },
          ]
        : []
    return { errors, profile: {} }
  }
  const result = await schema['~standard'].validate(Object.fromEntries(members))
  if (!result.issues) return { errors: [], profile: result.value as Profile }
  const errors = result.issues.map(({ path = [], message }) => ({
    loc: ['body', ...path.map((part) => String(typeof part === 'object' ? part.key : part))],
    msg: message,
    type: 'value_error',
  }))
  return { errors, profile: {} }
}

function fault(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

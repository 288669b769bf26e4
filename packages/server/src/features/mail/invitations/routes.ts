import * as z from 'zod'
import type { JsonObject } from 'keystile/internal'
import { checkFields, describeFields, getFields, readJsonObject } from '../../../http/json-body.ts'
import { jsonAnswer, type OpenRoute } from '../../../http/route.ts'
import { describeProfileInput, type ProfileSchema } from '../../users/accounts/profile.ts'
import { presentedOf, proofFields } from '../../users/accounts/proof-fields.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import { describeUser, wireUser } from '../../users/accounts/wire-user.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { acceptFields, type Invitations } from './invitations.ts'

export interface InvitationRouteParts {
  readonly issuer: string
  readonly invitations: Pick<Invitations, 'accept'>
  readonly passwordPolicy: PasswordPolicy
  readonly profile: ProfileSchema | undefined
}

const proofSchema = z.object(proofFields)

/** `POST /invitations/accept`: creates the account of an invited person. */
export function invitationRoute(parts: InvitationRouteParts): OpenRoute {
  const { issuer, invitations, passwordPolicy, profile } = parts
  const fields = z.object({ ...proofFields, ...acceptFields(passwordPolicy).shape })
  return {
    ...accountRoute,
    method: 'POST',
    path: '/invitations/accept',
    doc: {
      tag: 'Own account',
      summary: 'Accept an invitation',
      description:
        'Takes the token of the link, or the code with the id of the request. Creates the ' +
        'account with the rights that the invitation gives, also while registration is closed.',
      body: { type: 'json', schema: bodySchema(fields, profile) },
      success: {
        status: 201,
        description: 'The new user',
        schema: describeUser(profile),
        headers: { Location: 'The URL of the user' },
      },
      refuses: {
        403: 'The link or the code is wrong, was used before, or has expired',
        409: 'The username or the email is taken; the invitation stays valid',
        429: tooManyTries,
      },
    },
    async handle(request) {
      const { token, request_id, code, ...members } = await readJsonObject(request)
      const proof = { token, request_id, code }
      const presented = presentedOf(getFields(checkFields(proofSchema, proof)))
      const { publicUser } = await invitations.accept(presented, members, byStranger(request))
      return jsonAnswer(201, wireUser(publicUser), { location: `${issuer}/users/${publicUser.id}` })
    },
  }
}

function bodySchema(fields: z.ZodObject, profile: ProfileSchema | undefined): JsonObject {
  type ObjectSchema = { readonly properties?: object; readonly required?: readonly string[] }
  const own = describeFields(fields) as Required<ObjectSchema>
  const others: ObjectSchema & JsonObject = describeProfileInput(profile, Object.keys(fields.shape))
  return {
    ...others,
    type: 'object',
    properties: { ...others.properties, ...own.properties },
    required: [...(others.required ?? []), ...own.required],
  }
}

// The endpoint that accepts an invitation.
import * as z from 'zod'
import { checkFields, getFields, readJsonObject } from '../../../http/json-body.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { newPasswordField, usernameField } from '../../users/accounts/account-fields.ts'
import { accountRoute } from '../../users/accounts/account-route.ts'
import { describeAccountFields } from '../../users/accounts/new-account-body.ts'
import { createdAnswer, describeCreated } from '../../users/accounts/wire-user.ts'
import { presentedOf, proofFields, proofRefuses } from '../flows/endpoint-parts.ts'
import type { FlowParts } from '../flows/flow.ts'
import type { Invitations } from './invitation-types.ts'

/** The fields that an invited person chooses, besides those of the profile. */
export function acceptFields(policy: PasswordPolicy): AcceptFields {
  return { username: usernameField, password: newPasswordField(policy) }
}

interface AcceptFields {
  readonly username: typeof usernameField
  readonly password: ReturnType<typeof newPasswordField>
}

/** `POST /invitations/accept`: creates the account of an invited person. */
export function acceptRoute(
  invitations: Pick<Invitations, 'accept'>,
  parts: Pick<FlowParts, 'issuer' | 'passwordPolicy' | 'profile'>,
): OpenRoute {
  const { issuer, passwordPolicy, profile } = parts
  const fields = z.object({ ...proofFields, ...acceptFields(passwordPolicy) })
  return {
    ...accountRoute('POST', '/invitations/accept', {
      summary: 'Accept an invitation',
      description:
        'Takes the token of the link, or the code with the id of the request. Creates the ' +
        'account with the rights that the invitation gives, also while registration is closed.',
      body: { type: 'json', schema: describeAccountFields(fields, profile) },
      success: describeCreated(profile),
      refuses: {
        ...proofRefuses,
        409: 'The username or the email is taken; the invitation stays valid',
      },
    }),
    async handle(request) {
      const { token, request_id, code, ...members } = await readJsonObject(request)
      const proof = checkFields(z.object(proofFields), { token, request_id, code })
      const presented = presentedOf(getFields(proof))
      const user = await invitations.accept(presented, members, byStranger(request))
      return createdAnswer(user, issuer)
    },
  }
}

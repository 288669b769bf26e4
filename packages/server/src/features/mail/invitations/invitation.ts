// The flow of invitations: the app invites a person, and the person creates an account with a link
// or a code from a mail. `sent-invitations.ts` sends and lists them, also for the command line.
import { ProblemError, type JsonObject } from 'keystile/internal'
import * as z from 'zod'
import {
  checkFields,
  getFields,
  readJsonObject,
  refuseFaults,
  strictFields,
} from '../../../http/json-body.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { describeAccountFields, getAccountFields } from '../../users/accounts/new-account-body.ts'
import {
  emailField,
  findPasswordErrors,
  findUndeclared,
  namesField,
  newPasswordField,
  usernameField,
} from '../../users/accounts/account-fields.ts'
import type { AppInvitations } from '../../users/accounts/app-users.ts'
import type { Acceptance } from '../../users/accounts/acceptance.ts'
import { taken, tooManyMails } from '../../users/accounts/refusals.ts'
import { accountRoute } from '../../users/accounts/account-route.ts'
import { newRowOf, userOf, type User } from '../../users/accounts/user.ts'
import { createdAnswer, describeCreated } from '../../users/accounts/wire-user.ts'
import { byApp, byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import { parseEmail } from '../../users/directory/names.ts'
import { presentedOf, proofFields, proofRefuses } from '../flows/endpoint-parts.ts'
import { confirmCounted, refusedProof, type FlowParts, type MailFlow } from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { changeRights, type Rights, type ScopeRules } from '../../users/scopes/scopes.ts'
import { acceptRate } from './rates.ts'
import { listInvitations, rightsOf, sendInvitation } from './sent-invitations.ts'
import { acceptInvitation, revokeInvitation } from './store.ts'

const kind = proofKinds.invitation

/** What the app, the endpoint and the page of the flow do. */
export interface Invitations extends AppInvitations {
  /**
   * Creates the account of an invited person. The address of the account is verified. The account
   * gets those scopes and roles of the invitation that the app still declares. After an error, the
   * invitation stays valid.
   *
   * @param members the members of the body besides the link and the code
   * @throws {ProblemError} one of these:
   *   - `forbidden` (without the reason) if the link or the code is not valid
   *   - `conflict` if the name or the address is taken
   *   - `unprocessable_content`, `too_many_requests`, `temporarily_unavailable`
   */
  accept(presented: Presented, members: JsonObject, by: By, accepted?: Acceptance): Promise<User>
  /** Whether the token of a link can still be accepted. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export function invitationFlow(parts: FlowParts): MailFlow & Invitations {
  const { database, proofs, passwords, passwordPolicy, limits, profile, clock } = parts
  const rules = parts.scopes

  const invitations: Invitations = {
    async invite({ email, scopes = [], roles = [] }) {
      const fields = getFields(checkFields(invitationFields, { email, scopes, roles }))
      refuseFaults(findUndeclared(fields, rules))

      const rights = changeRights({ scopes: [], roles: [] }, fields)
      const sent = await sendInvitation({ email: fields.email, ...rights }, byApp, parts)
      if (!('refused' in sent)) return sent
      throw sent.refused === 'taken' ? taken('email') : tooManyMails()
    },
    async listInvitations(page) {
      const { invitations, next } = await listInvitations(proofs, page)
      const open = invitations.flatMap(({ rights, ...rest }) =>
        rights ? { ...rest, ...rights } : [],
      )
      return { invitations: open, next }
    },
    async uninvite(email) {
      const { key: mailbox } = getFields(checkFields(addressFields, { email })).email
      const values = { mailbox, by: byApp, now: clock.now() }
      if (!(await database.write(revokeInvitation, values)))
        throw new ProblemError('not_found', 'There is no invitation for this address')
    },
    async accept(presented, members, by, accepted) {
      const schema = z.object(acceptFields(passwordPolicy))
      const checked = await getAccountFields(schema, members, profile)
      const { username, password } = checked.fields
      passwords.requireRoom(by.address)

      const tried = { ...presented, by, isOpen: invitations.isOpen }
      return confirmCounted(limits, acceptRate, tried, async () => {
        const proof = await proofs.find(kind, presented)
        const email = parseEmail(proof?.data['email'] ?? '')
        if (!proof || !email) throw refusedInvitation()

        const owner = { username: username.shown, email: email.shown }
        refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))
        const passwordHash = await passwords.hash(password, by.address)
        const address = { email, emailVerified: true }
        const rights = stillDeclared(rightsOf(proof.data), rules)
        const fresh = { id: proof.subject, username, ...address, passwordHash, ...rights }
        const row = newRowOf({ ...fresh, profile: checked.profile }, clock.now())
        const outcome = await database.write(acceptInvitation, { proof, row, by, accepted })
        if (outcome === 'refused') throw refusedInvitation()
        if (outcome !== 'created') throw taken(outcome)
        return userOf(row)
      })
    },
    isOpen: async (token) => (await proofs.find(kind, { token })) !== undefined,
  }
  return { ...invitations, routes: [acceptRoute(invitations, parts)] }
}

const addressFields = strictFields({ email: emailField })
const invitationFields = strictFields({ email: emailField, scopes: namesField, roles: namesField })

/** The fields that an invited person chooses, besides those of the profile. */
const acceptFields = (policy: PasswordPolicy) => ({
  username: usernameField,
  password: newPasswordField(policy),
})

function stillDeclared({ scopes, roles }: Rights, rules: ScopeRules): Rights {
  return {
    scopes: scopes.filter((name) => Object.hasOwn(rules.declared, name)),
    roles: roles.filter((name) => Object.hasOwn(rules.roles, name)),
  }
}

function refusedInvitation(): ProblemError {
  return refusedProof('ask for a new invitation')
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

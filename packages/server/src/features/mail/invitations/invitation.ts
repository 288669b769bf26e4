// The flow of invitations: the app invites a person, and the person creates an account with a link
// or a code from a mail. What the flow does is in `invitation-types.ts`, and its endpoint is in
// `routes.ts`. `sent-invitations.ts` sends and lists invitations, also for the command line.
import { ProblemError } from 'keystile/internal'
import * as z from 'zod'
import { strictFields } from '../../../http/fields.ts'
import { checkFields, getFields, refuseFaults } from '../../../http/json-body.ts'
import { byApp } from '../../operations/audit/by.ts'
import {
  emailField,
  findPasswordErrors,
  findUndeclared,
  namesField,
} from '../../users/accounts/account-fields.ts'
import { getAccountFields } from '../../users/accounts/new-account-body.ts'
import { taken, tooManyMails } from '../../users/accounts/refusals.ts'
import { newRowOf, userOf } from '../../users/accounts/user.ts'
import { parseEmail } from '../../users/directory/names.ts'
import { changeRights, type Rights, type ScopeRules } from '../../users/scopes/scopes.ts'
import { confirmCounted, refusedProof } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { Invitations } from './invitation-types.ts'
import { acceptRate } from './rates.ts'
import { acceptFields, acceptRoute } from './routes.ts'
import { listInvitations, rightsOf, sendInvitation } from './sent-invitations.ts'
import { acceptInvitation, revokeInvitation } from './store.ts'

const kind = proofKinds.invitation

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
        const user = {
          id: proof.subject,
          username,
          email,
          emailVerified: true,
          passwordHash: await passwords.hash(password, by.address),
          ...stillDeclared(rightsOf(proof.data), rules),
          profile: checked.profile,
        }
        const row = newRowOf(user, clock.now())
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

function stillDeclared({ scopes, roles }: Rights, rules: ScopeRules): Rights {
  return {
    scopes: scopes.filter((name) => Object.hasOwn(rules.declared, name)),
    roles: roles.filter((name) => Object.hasOwn(rules.roles, name)),
  }
}

function refusedInvitation(): ProblemError {
  return refusedProof('ask for a new invitation')
}

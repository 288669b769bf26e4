// The flow of invitations: the app invites a person, and the person creates an account with a link
// or a code from a mail. The mail is stored with the invitation, so no request waits for the
// resolver: the answer may tell the app that the address is taken.
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
import {
  describeAccountFields,
  emailField,
  findPasswordErrors,
  findUndeclared,
  getAccountFields,
  namesField,
  newPasswordField,
  usernameField,
} from '../../users/accounts/account-fields.ts'
import type { AppInvitations, Invitation, NewInvitation } from '../../users/accounts/app-users.ts'
import type { ProfileSchema } from '../../users/accounts/profile.ts'
import {
  accountRoute,
  taken,
  tooManyMails,
  tooManyTries,
} from '../../users/accounts/route-parts.ts'
import { newRowOf, userOfNewRow, type User } from '../../users/accounts/users.ts'
import { createdAnswer, describeCreated } from '../../users/accounts/wire-user.ts'
import { byApp, byStranger } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { parseEmail } from '../../users/directory/names.ts'
import {
  confirmCounted,
  presentedOf,
  proofFields,
  refusedProof,
  type FlowParts,
  type MailFlow,
} from '../flows/flow.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { changeRights, type Rights, type ScopeRules } from '../../users/scopes/scopes.ts'
import { acceptRate } from './feature.ts'
import {
  invitationKind,
  listInvitations,
  rightsOf,
  sendInvitation,
  type InvitingParts,
} from './inviting.ts'
import { acceptInvitation, revokeInvitation } from './store.ts'

/** What the app, the endpoint and the page of the flow do. */
export interface Invitations extends AppInvitations {
  /**
   * Creates the account of an invited person. The address of the account is verified. The account
   * gets those scopes and roles of the invitation that the app still declares. After an error, the
   * invitation stays valid.
   *
   * @param members the members of the body besides the link and the code
   * @throws {ProblemError} `forbidden` (without the reason) if the link or the code is not valid;
   *   `conflict` if the name or the address is taken; `unprocessable_content`, `too_many_requests`,
   *   `temporarily_unavailable`
   */
  accept(presented: Presented, members: JsonObject, by: By): Promise<User>
  /** Whether the token of a link can still be accepted. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export interface InvitationParts extends FlowParts, Pick<InvitingParts, 'seal' | 'pagesUrl'> {
  readonly issuer: string
  readonly passwords: Pick<Passwords, 'requireRoom' | 'hash'>
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly profile: ProfileSchema | undefined
}

export function invitationFlow(parts: InvitationParts): MailFlow & Invitations {
  const invitations = createInvitations(parts)
  return { ...invitations, routes: [acceptRoute(invitations, parts)] }
}

function createInvitations(parts: InvitationParts): Invitations {
  const { proofs } = parts
  return {
    invite: (invitation) => invite(invitation, parts),
    async listInvitations(page) {
      const { invitations, next } = await listInvitations(proofs, page)
      const open = invitations.flatMap(({ rights, ...rest }) =>
        rights ? { ...rest, ...rights } : [],
      )
      return { invitations: open, next }
    },
    uninvite: (email) => uninvite(email, parts),
    accept: (presented, members, by) => accept({ presented, members, by }, parts),
    isOpen: async (token) => (await proofs.find(invitationKind, { token })) !== undefined,
  }
}

/** The fields that an invited person chooses, besides those of the profile. */
function acceptFields(
  policy: PasswordPolicy,
): z.ZodObject<{ readonly username: typeof usernameField; readonly password: z.ZodString }> {
  return z.object({ username: usernameField, password: newPasswordField(policy) })
}

const invitationFields = strictFields({
  email: emailField,
  scopes: namesField,
  roles: namesField,
})

async function invite(
  { email, scopes = [], roles = [] }: NewInvitation<string>,
  parts: InvitationParts,
): Promise<Invitation> {
  const fields = getFields(checkFields(invitationFields, { email, scopes, roles }))
  refuseFaults(findUndeclared(fields, parts.scopes))

  const rights = changeRights({ scopes: [], roles: [] }, fields)
  const sent = await sendInvitation({ email: fields.email, ...rights }, byApp, parts)
  if (!('refused' in sent)) return sent
  if (sent.refused === 'taken') throw taken('email')
  throw tooManyMails()
}

async function uninvite(email: string, { database, clock }: InvitationParts): Promise<void> {
  const fields = getFields(checkFields(strictFields({ email: emailField }), { email }))
  const values = { mailbox: fields.email.key, by: byApp, now: clock.now() }
  const { isRevoked } = await database.write(revokeInvitation, values)
  if (!isRevoked) throw new ProblemError('not_found', 'There is no invitation for this address')
}

interface Acceptance {
  readonly presented: Presented
  readonly members: JsonObject
  readonly by: By
}

async function accept(
  { presented, members, by }: Acceptance,
  { database, proofs, passwords, passwordPolicy, limits, scopes, profile, clock }: InvitationParts,
): Promise<User> {
  const checked = await getAccountFields(acceptFields(passwordPolicy), members, profile)
  const { username, password } = checked.fields
  passwords.requireRoom(by.address)

  return confirmCounted(limits, limits.usesAt(acceptRate, by.address), async () => {
    const proof = await proofs.find(invitationKind, presented)
    const email = parseEmail(proof?.data['email'] ?? '')
    if (!proof || !email) throw refusedInvitation()

    const owner = { username: username.shown, email: email.shown }
    refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))
    const passwordHash = await passwords.hash(password, by.address)
    const now = clock.now()
    const address = { email, emailVerified: true }
    const rights = stillDeclared(rightsOf(proof.data), scopes)
    const fresh = { id: proof.subject, username, ...address, passwordHash, ...rights }
    const row = newRowOf({ ...fresh, profile: checked.profile }, now)
    const { outcome } = await database.write(acceptInvitation, { proof, row, by, now })
    if (outcome === undefined) throw refusedInvitation()
    if (outcome !== 'created') throw taken(outcome)
    return userOfNewRow(row)
  })
}

function stillDeclared({ scopes, roles }: Rights, rules: ScopeRules): Rights {
  return {
    scopes: scopes.filter((name) => Object.hasOwn(rules.declared, name)),
    roles: roles.filter((name) => Object.hasOwn(rules.roles, name)),
  }
}

function refusedInvitation(): ProblemError {
  return refusedProof('ask for a new invitation')
}

const proofSchema = z.object(proofFields)

/** `POST /invitations/accept`: creates the account of an invited person. */
export function acceptRoute(
  invitations: Pick<Invitations, 'accept'>,
  {
    issuer,
    passwordPolicy,
    profile,
  }: Pick<InvitationParts, 'issuer' | 'passwordPolicy' | 'profile'>,
): OpenRoute {
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
      body: { type: 'json', schema: describeAccountFields(fields, profile) },
      success: describeCreated(profile),
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
      return createdAnswer(
        await invitations.accept(presented, members, byStranger(request)),
        issuer,
      )
    },
  }
}

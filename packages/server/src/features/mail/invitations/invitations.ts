import { ProblemError, type Clock, type JsonObject } from 'keystile/internal'
import * as z from 'zod'
import { checkFields, getFields, refuseFaults, strictFields } from '../../../http/json-body.ts'
import type { Database } from '../../../storage/database.ts'
import {
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
import { taken, tooManyMails } from '../../users/accounts/route-parts.ts'
import { newRowOf, userOfNewRow, type User } from '../../users/accounts/users.ts'
import { byApp } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { parseEmail } from '../../users/directory/names.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import type { MailProofs, Presented } from '../proofs/proofs.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { changeRights, type Rights, type ScopeRules } from '../../users/scopes/scopes.ts'
import { acceptRate } from './feature.ts'
import { listInvitations } from './listing.ts'
import { invitationKind, sendInvitation, type InvitingParts } from './inviting.ts'
import { acceptInvitation, revokeInvitation } from './store.ts'

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

export interface InvitationParts extends InvitingParts {
  readonly database: Pick<Database, 'write'>
  readonly proofs: MailProofs
  readonly passwords: Pick<Passwords, 'requireRoom' | 'hash'>
  readonly passwordPolicy: PasswordPolicy
  readonly limits: Limits
  readonly scopes: ScopeRules
  readonly profile: ProfileSchema | undefined
  readonly clock: Clock
}

export function createInvitations(parts: InvitationParts): Invitations {
  return {
    invite: (invitation) => invite(invitation, parts),
    async listInvitations(page) {
      const { invitations, next } = await listInvitations(parts.proofs, page)
      const open = invitations.flatMap(({ rights, ...rest }) =>
        rights ? { ...rest, ...rights } : [],
      )
      return { invitations: open, next }
    },
    uninvite: (email) => uninvite(email, parts),
    accept: (presented, members, by) => accept({ presented, members, by }, parts),
    isOpen: async (token) => (await parts.proofs.find(invitationKind, { token })) !== undefined,
  }
}

/** The fields that an invited person chooses, besides those of the profile. */
export function acceptFields(
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
  const spent = await limits.count(limits.usesAt(acceptRate, by.address))

  const proof = await proofs.find(invitationKind, presented)
  const email = parseEmail(proof?.data['email'] ?? '')
  if (!proof || !email) throw refused()

  const owner = { username: username.shown, email: email.shown }
  refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))
  const passwordHash = await passwords.hash(password, by.address)
  const rights = stillDeclared(proof.data, scopes)
  const now = clock.now()
  const fresh = { username, email, passwordHash, ...rights, profile: checked.profile }
  const row = { ...newRowOf({ ...fresh, emailVerified: true }, now), id: proof.subject }
  const { outcome } = await database.write(acceptInvitation, { proof, row, by, now })
  if (outcome === undefined) throw refused()
  if (outcome !== 'created') throw taken(outcome)
  await limits.refund(spent)
  return userOfNewRow(row)
}

function stillDeclared(
  { scopes = '[]', roles = '[]' }: Readonly<Record<string, string>>,
  rules: ScopeRules,
): Rights {
  const declared = (names: string, known: object): readonly string[] =>
    (JSON.parse(names) as readonly string[]).filter((name) => Object.hasOwn(known, name))
  return { scopes: declared(scopes, rules.declared), roles: declared(roles, rules.roles) }
}

/** Returns the error for a link or a code that is not valid. It does not say what is wrong. */
function refused(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link or the code is wrong, was used before, or has expired; ask for a new invitation',
  )
}

import { randomId, type Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { ComparableName } from '../../users/directory/names.ts'
import { prepareProof, sealValues, type ProofKind } from '../proofs/new-proof.ts'
import { invitation } from '../proofs/purposes.ts'
import { prepareMail } from '../outbox/new-mail.ts'
import { namesOfRights, type Rights } from '../../users/scopes/scopes.ts'
import { insertInvitation } from './store.ts'

/**
 * The link and the code in the mail of an invitation. For 7 days, each of them lets the person
 * create an account.
 */
export const invitationKind: ProofKind = {
  purpose: invitation,
  lifetimeMilliseconds: 7 * 24 * 60 * minuteMilliseconds,
  hasCode: true,
}

/** The values that an invitation stores, encrypted, until the person accepts it. */
export type InvitationData = {
  readonly email: string
  /** JSON lists of names. */
  readonly scopes: string
  readonly roles: string
}

/**
 * The services that are needed to send an invitation. They need no running server, so the command
 * line can send invitations too.
 */
export interface InvitingParts {
  readonly database: Pick<Database, 'write'>
  readonly seal: () => Seal
  /** Where the links in mails lead. */
  readonly pagesUrl: string
  readonly clock: Clock
}

export type Inviting =
  | { readonly requestId: string; readonly expiresAt: Date }
  | { readonly refused: 'taken' | 'too-many-mails' }

/**
 * Stores an invitation and its mail. The person gets the rights when they accept the invitation.
 * Does NOT check that the app declares the scopes and roles.
 */
export async function sendInvitation(
  { email, scopes, roles }: Rights & { readonly email: ComparableName },
  by: By,
  { database, seal, pagesUrl, clock }: InvitingParts,
): Promise<Inviting> {
  const now = clock.now()
  const { requestId, token, code = '', row } = prepareProof(invitationKind, '', now)
  const subject = randomId()
  const bound = { ...row, subject, mailbox: email.key, counted_for: subject, resolved_at: now }
  const data: InvitationData = {
    email: email.shown,
    scopes: JSON.stringify(scopes),
    roles: JSON.stringify(roles),
  }

  const expiresAt = new Date(row.expires_at)
  const link = `${pagesUrl}/accept-invitation?token=${token}`
  const parameters = { link, code, expires_at: expiresAt.toISOString() }
  const { purpose: template, lifetimeMilliseconds } = invitationKind
  const { outcome } = await database.write(insertInvitation, {
    proof: { ...bound, sealed: sealValues(seal(), bound, data) },
    mail: prepareMail({ template, lifetimeMilliseconds }, { parameters, seal: seal() }, now),
    recipient: email.shown,
    given: namesOfRights({ roles, scopes }),
    by,
    now,
  })
  return outcome === 'invited' ? { requestId, expiresAt } : { refused: outcome }
}

// Sends and lists invitations: for the app and for the command line, which needs no running server.
// The answer may say that the address is taken, so the mail is stored with the invitation, and no
// request waits for the resolver.
import { randomId } from 'keystile/internal'
import type { By } from '../../operations/audit/entry.ts'
import type { Invitation, OpenInvitation } from '../../users/accounts/app-users.ts'
import { defaultPageSize, requirePageSize } from '../../users/accounts/user-page.ts'
import type { ComparableName } from '../../users/directory/names.ts'
import { namesOfRights, type Rights } from '../../users/scopes/scopes.ts'
import { readRights, storedRights } from '../../users/scopes/stored-rights.ts'
import type { FlowParts } from '../flows/flow.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import { proofKinds } from '../proofs/kinds.ts'
import { prepareLinkMail, prepareProof } from '../proofs/new-proof.ts'
import type { MailProofs } from '../proofs/proofs.ts'
import { sealData } from '../proofs/sealed-values.ts'
import { insertInvitation } from './store.ts'

const kind = proofKinds.invitation

export type InvitingParts = Pick<FlowParts, 'database' | 'seal' | 'pagesUrl' | 'clock'>

/**
 * Stores an invitation and its mail. The person gets the rights when they accept the invitation.
 * Does NOT check that the app declares the scopes and roles.
 */
export async function sendInvitation(
  { email, scopes, roles }: Rights & { readonly email: ComparableName },
  by: By,
  parts: InvitingParts,
): Promise<Invitation | { readonly refused: 'taken' | 'too-many-mails' }> {
  const now = parts.clock.now()
  const seal = parts.seal()
  const { requestId, token, code, row } = prepareProof(kind, '', { seal, now })
  const subject = randomId()
  const bound = { ...row, subject, mailbox: email.key, counted_for: subject, resolved_at: now }
  const data = { email: email.shown, ...storedRights({ scopes, roles }) }

  const expiresAt = row.expires_at
  const outcome = await parts.database.write(insertInvitation, {
    proof: { ...bound, sealed: sealData(seal, bound, data) },
    mail: prepareLinkMail(kind, { token, code, expiresAt }, parts),
    recipient: email.shown,
    given: namesOfRights({ roles, scopes }),
    by,
    now,
  })
  if (outcome !== 'invited') return { refused: outcome }
  return { requestId, expiresAt: new Date(expiresAt) }
}

export interface ListedInvitation extends Omit<OpenInvitation, keyof Rights> {
  /**
   * The rights of the future user. Undefined if the invitation was encrypted with another key. Such
   * an invitation cannot be accepted.
   */
  readonly rights: Rights | undefined
}

export interface InvitationPage {
  readonly invitations: readonly ListedInvitation[]
  /** The value of `after` for the next page; null if this is the last one. */
  readonly next: string | null
}

/**
 * Returns a page of the invitations that have not expired, in the order of their addresses.
 *
 * @throws {ProblemError} 422 if `limit` is not a whole number from 1 to `maxPageSize`
 */
export async function listInvitations(
  proofs: Pick<MailProofs, 'list'>,
  wanted: { readonly after?: string; readonly limit?: number } = {},
): Promise<InvitationPage> {
  const { after = '', limit = defaultPageSize } = wanted
  requirePageSize(limit)
  // Reads one more than the page needs: if it exists, another page follows.
  const found = await proofs.list(kind, { after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const invitations = page.map(({ mailbox, created_at, expires_at, data }) => ({
    email: data?.['email'] ?? mailbox,
    rights: data && rightsOf(data),
    invitedAt: new Date(created_at),
    expiresAt: new Date(expires_at),
  }))
  return { invitations, next: found.length > limit ? (page.at(-1)?.mailbox ?? null) : null }
}

/** Returns the rights that an invitation gives, from the data of its proof. */
export function rightsOf({ scopes = '[]', roles = '[]' }: MailParameters): Rights {
  return readRights({ scopes, roles })
}

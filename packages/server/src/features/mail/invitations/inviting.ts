// Sends and lists invitations. It needs no running server, so the command line does it too.
import { randomId, type Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import type { Invitation, OpenInvitation } from '../../users/accounts/app-users.ts'
import { defaultPageSize, requirePageSize } from '../../users/accounts/user-page.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { ComparableName } from '../../users/directory/names.ts'
import { prepareLinkMail, prepareProof, sealValues, type ProofKind } from '../proofs/new-proof.ts'
import type { MailProofs } from '../proofs/proofs.ts'
import { namesOfRights, type Rights } from '../../users/scopes/scopes.ts'
import { insertInvitation, invitation } from './store.ts'

export const invitationKind: ProofKind = {
  purpose: invitation,
  page: 'accept-invitation',
  lifetimeMilliseconds: 7 * 24 * 60 * minuteMilliseconds,
  hasCode: true,
}

/** The values that an invitation stores, encrypted, until the person accepts it. */
type InvitationData = {
  readonly email: string
  /** JSON lists of names. */
  readonly scopes: string
  readonly roles: string
}

export interface InvitingParts {
  readonly database: Pick<Database, 'write'>
  readonly seal: () => Seal
  /** Where the links in mails lead. */
  readonly pagesUrl: string
  readonly clock: Clock
}

/**
 * Stores an invitation and its mail. The person gets the rights when they accept the invitation.
 * Does NOT check that the app declares the scopes and roles.
 */
export async function sendInvitation(
  { email, scopes, roles }: Rights & { readonly email: ComparableName },
  by: By,
  { database, pagesUrl, clock, ...parts }: InvitingParts,
): Promise<Invitation | { readonly refused: 'taken' | 'too-many-mails' }> {
  const [now, seal] = [clock.now(), parts.seal()]
  const { requestId, token, code, row } = prepareProof(invitationKind, '', now)
  const subject = randomId()
  const bound = { ...row, subject, mailbox: email.key, counted_for: subject, resolved_at: now }
  const lists = { scopes: JSON.stringify(scopes), roles: JSON.stringify(roles) }
  const data: InvitationData = { email: email.shown, ...lists }

  const expiresAt = row.expires_at
  const outcome = await database.write(insertInvitation, {
    proof: { ...bound, sealed: sealValues(seal, bound, data) },
    mail: prepareLinkMail(invitationKind, { token, code, expiresAt }, { seal, pagesUrl, now }),
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

/**
 * Returns a page of the invitations that have not expired, in the order of their addresses, and the
 * value of `after` for the next page.
 *
 * @throws {ProblemError} 422 if `limit` is not a whole number from 1 to `maxPageSize`
 */
export async function listInvitations(
  proofs: Pick<MailProofs, 'list'>,
  {
    after = '',
    limit = defaultPageSize,
  }: { readonly after?: string; readonly limit?: number } = {},
): Promise<{ readonly invitations: readonly ListedInvitation[]; readonly next: string | null }> {
  requirePageSize(limit)
  // Reads one more than the page needs: if it exists, another page follows.
  const found = await proofs.list(invitationKind, { after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const invitations = page.map(({ mailbox, createdAt: invitedAt, expiresAt, data }) => {
    const kept = data as InvitationData | undefined
    return { email: kept?.email ?? mailbox, rights: kept && rightsOf(kept), invitedAt, expiresAt }
  })
  return { invitations, next: found.length > limit ? (page.at(-1)?.mailbox ?? null) : null }
}

/** Returns the rights that an invitation gives. */
export function rightsOf({
  scopes = '[]',
  roles = '[]',
}: Readonly<Partial<Record<keyof Rights, string>>>): Rights {
  const parse = (names: string): readonly string[] => JSON.parse(names) as readonly string[]
  return { scopes: parse(scopes), roles: parse(roles) }
}

import type { OpenInvitation } from '../../users/accounts/app-users.ts'
import { defaultPageSize, requirePageSize } from '../../users/accounts/user-page.ts'
import type { MailProofs } from '../proofs/proofs.ts'
import type { Rights } from '../../users/scopes/scopes.ts'
import { invitationKind, type InvitationData } from './inviting.ts'

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
    const rights = kept && { scopes: namesIn(kept.scopes), roles: namesIn(kept.roles) }
    return { email: kept?.email ?? mailbox, rights, invitedAt, expiresAt }
  })
  return { invitations, next: found.length > limit ? (page.at(-1)?.mailbox ?? null) : null }
}

function namesIn(list: string): readonly string[] {
  return JSON.parse(list) as readonly string[]
}

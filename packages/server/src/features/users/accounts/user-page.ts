// One page of the list of all users, for `GET /users` and `keystile.users.list`.
import { wrongQuery } from '../../../http/request.ts'
import { parseUsername } from '../directory/names.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

export const defaultPageSize = 50
/**
 * The largest number of users on a page. It limits the size of an answer: each profile may have 64
 * KiB.
 */
export const maxPageSize = 200

/**
 * Returns one page of users in the order of their names, and the value of `after` for the next
 * page. A page begins with the first name that follows `after` in the order. So if a user is
 * created or deleted between two requests, the next page does not skip or repeat a user. A user
 * with the name `after` need not exist.
 *
 * @throws {ProblemError} 422 if `limit` is not a whole number from 1 to `maxPageSize`, or if
 *   `after` cannot be a user name
 */
export async function readUserPage(
  users: Pick<Users, 'listAfter'>,
  { after, limit = defaultPageSize }: { readonly after?: string; readonly limit?: number },
): Promise<{ readonly page: readonly User[]; readonly next: string | null }> {
  requirePageSize(limit)
  if (after !== undefined && !parseUsername(after))
    throw wrongQuery('after', 'Input should be a user name')

  // Reads one user more than the page needs: if that user exists, another page follows.
  const found = await users.listAfter(after, limit + 1)
  const page = found.slice(0, limit)
  return {
    page,
    next: found.length > limit ? (page.at(-1)?.publicUser.username ?? null) : null,
  }
}

/** @throws {ProblemError} 422 if `limit` is not a whole number from 1 to `maxPageSize` */
export function requirePageSize(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize)
    throw wrongQuery('limit', `Input should be a whole number from 1 to ${maxPageSize}`)
}

// One page of the list of all users, for `GET /users` and `keystile.users.list`.
import { ProblemError } from 'keystile/internal'
import { parseUsername } from '../directory/names.ts'
import type { User, UserFinder } from './users.ts'

export const defaultPageSize = 50
/** Bounds the size of an answer: a profile may have 64 KiB. */
export const maxPageSize = 200

/**
 * Returns the users after a name, in the order of their names, and the `after` of the next page. A
 * page begins after a name instead of at a number, so a user who is created or deleted meanwhile
 * moves no other user to another page. The name need not exist.
 *
 * @throws {ProblemError} 422 for a limit that is not a whole number in the range, and for a text
 *   that is not a user name
 */
export async function readUserPage(
  users: Pick<UserFinder, 'listAfter'>,
  { after, limit = defaultPageSize }: { readonly after?: string; readonly limit?: number },
): Promise<{ readonly page: readonly User[]; readonly next: string | null }> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize)
    throw wrongQuery('limit', `Input should be a whole number from 1 to ${maxPageSize}`)
  if (after !== undefined && !parseUsername(after))
    throw wrongQuery('after', 'Input should be a user name')

  // One more than the page shows whether another page follows.
  const found = await users.listAfter(after, limit + 1)
  const page = found.slice(0, limit)
  return {
    page,
    next: found.length > limit ? (page.at(-1)?.publicUser.username ?? null) : null,
  }
}

function wrongQuery(name: string, msg: string): ProblemError {
  return new ProblemError('unprocessable_content', `${name}: ${msg}`, {
    errors: [{ loc: ['query', name], msg, type: 'value_error' }],
  })
}

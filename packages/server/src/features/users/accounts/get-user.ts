import { ProblemError } from 'keystile/internal'
import { areStorable } from '../../../storage/storable.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

/** Returns a user as stored now, not from the cache; undefined if there is no such user. */
export async function findUser(id: string, users: Users): Promise<User | undefined> {
  return areStorable(id) ? users.readBySubject(id) : undefined
}

/**
 * Returns a user as stored now, not from the cache. A decision that is based on a cached user could
 * undo the change of another process.
 *
 * @throws {ProblemError} `not_found`
 */
export async function getUser(id: string | undefined, users: Users): Promise<User> {
  const user = id === undefined ? undefined : await findUser(id, users)
  if (!user) throw new ProblemError('not_found', 'There is no such user')
  return user
}

import type { Seal } from '../../../base/seal.ts'
import type { Reader } from '../../../storage/database.ts'
import { openParameters } from './new-mail.ts'
import { listOldestSealed } from './store.ts'

/**
 * How many mails to check at most. The oldest mails are checked first, because an old key may have
 * encrypted them.
 */
const lookedAt = 1_000

/** Whether at least one of the oldest mails cannot be decrypted with the seal. */
export async function hasUnreadableMail(reader: Reader, seal: Seal): Promise<boolean> {
  const mails = await listOldestSealed(reader, lookedAt)
  return mails.some((mail) => openParameters(mail, seal) === undefined)
}

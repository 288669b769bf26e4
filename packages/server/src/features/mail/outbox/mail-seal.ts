// The seal that encrypts the parameters of mails (`new-mail.ts`), and the values of mail proofs.
import { createSeal, type Seal, type SealingSecrets } from '../../../base/seal.ts'

/**
 * Returns a function that creates the seal for the parameters of mails at its first call, and
 * returns the same seal at each later call.
 *
 * @param findSecrets returns the secrets. Called only when the seal is created
 */
export function openMailSeal(findSecrets: () => SealingSecrets): () => Seal {
  let seal: Seal | undefined
  return () => (seal ??= createSeal(findSecrets(), 'mails'))
}

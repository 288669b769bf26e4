import { randomRowId } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'

export type MailParameters = Readonly<Record<string, string>>

/** A mail to store together with the change that causes it. The transaction adds the recipient. */
export interface NewMail {
  readonly id: string
  readonly template: string
  readonly sealed: string | null
  readonly lifetimeMilliseconds: number
}

/** A mail, and the address to which it goes. */
export interface AddressedMail {
  readonly mail: NewMail
  readonly recipient: string
  /** Whether the account that the mail is about has verified the address. */
  readonly isVerified: boolean
}

/**
 * Prepares a mail for the transaction that stores it. The parameters are encrypted here, because
 * the thread that writes to SQLite does not know the key.
 */
export function prepareMail(
  { template, lifetimeMilliseconds }: Pick<NewMail, 'template' | 'lifetimeMilliseconds'>,
  content: { readonly parameters: Partial<MailParameters>; readonly seal: Seal } | undefined,
  now: number,
): NewMail {
  const id = randomRowId(now)
  const sealed = content?.seal.seal(JSON.stringify(content.parameters), contextOf({ id, template }))
  return { id, template, sealed: sealed ?? null, lifetimeMilliseconds }
}

/**
 * Decrypts the parameters of a stored mail. Returns undefined if they were encrypted with another
 * key or belong to another mail.
 */
export function openParameters(
  mail: Pick<NewMail, 'id' | 'template' | 'sealed'>,
  seal: Seal,
): MailParameters | undefined {
  if (mail.sealed === null) return {}

  const text = seal.open(mail.sealed, contextOf(mail))
  return text === undefined ? undefined : (JSON.parse(text) as MailParameters)
}

function contextOf({ id, template }: Pick<NewMail, 'id' | 'template'>): string {
  return `${id} ${template}`
}

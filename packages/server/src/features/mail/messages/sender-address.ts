import { parseEmail } from '../../users/directory/names.ts'

export const senderExample = 'Example <no-reply@example.com>'

/**
 * Parses the sender of mails: an address, or a name and an address in angle brackets. Refuses
 * control characters, which could add header fields.
 *
 * @returns the address, with the ASCII form of its domain; undefined if the text is not a sender
 */
export function parseSender(text: string): string | undefined {
  // `Name <address>`, `<address>`, or only the address.
  const [, name = '', address = text] = /^(?:(.+) )?<(.+)>$/u.exec(text) ?? []
  return /[\p{Cc}<>",;:@\\]/u.test(name) ? undefined : parseEmail(address)?.shown
}

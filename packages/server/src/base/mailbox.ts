/**
 * Returns the key under which rate limits count the mails to an address, and the codes in them.
 * Ignores letter case, and a tag such as `+shop` in `ada+shop@example.com`: most providers deliver
 * all these spellings to one mailbox. So an attacker cannot get more mails or codes by changing the
 * spelling. Use the key only for counting: two addresses with the same key may belong to two users.
 *
 * @see RFC 5233
 */
export function countedMailbox(address: string): string {
  const at = address.lastIndexOf('@')
  // A `+` at the start belongs to the name, and does not begin a tag.
  const local = address.slice(0, at).replace(/(?<!^)\+.*/, '')
  return `${local}${address.slice(at)}`.toLowerCase()
}

// Makes the secrets of a proof, and puts them into its row and its mail.
import { randomInt } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import { prepareMail, type NewMail } from '../outbox/new-mail.ts'
import { expiryOf, type ProofKind } from './kinds.ts'
import type { MailProofRow } from './tables.ts'

/** A proof to store, and the secrets that only the caller and the mail get. */
export interface NewProof {
  /**
   * The id of the request, which the caller gets. A code is accepted only together with this id.
   */
  readonly requestId: string
  readonly token: string
  /**
   * The code. A user who reads the mail on another device can type it instead of opening the link.
   */
  readonly code: string
  /** The row to store. Its user, mailbox and encrypted values are still null. */
  readonly row: MailProofRow
}

/**
 * Makes the secrets of a proof, and the row with their hashes.
 *
 * @param countedFor the key under which wrong codes are counted
 */
export function prepareProof(
  kind: ProofKind,
  countedFor: string,
  { seal, now }: { readonly seal: Seal; readonly now: number },
): NewProof {
  const [requestId, token, code] = [makeSecret(), makeSecret(), makeCode()]
  return {
    requestId,
    token,
    code,
    row: {
      id: hashSecret(requestId),
      purpose: kind.purpose,
      subject: null,
      mailbox: null,
      allowance: null,
      token_hash: hashSecret(token),
      code_hash: hashSecret(codeSecrets(seal, requestId, code)[0]),
      counted_for: countedFor,
      tries: 0,
      sealed: null,
      created_at: now,
      expires_at: expiryOf(kind, now),
      resolved_at: null,
      claimed_until: null,
    },
  }
}

const codeDigits = 8

/** Returns a new code for a mail: eight digits. */
export function makeCode(): string {
  return String(randomInt(10 ** codeDigits)).padStart(codeDigits, '0')
}

/**
 * Returns the texts of whose hashes one is stored for a code. Without the key of the seal, a thief
 * with a copy of the database cannot guess the eight digits, even of a request that the thief has
 * made. Ignores spaces and hyphens in the code, because the mail shows it in groups.
 */
export function codeSecrets(
  seal: Seal,
  requestId: string,
  code: string,
): readonly [string, ...string[]] {
  return seal.macs(`${requestId}\n${code.replace(/[\s-]/g, '')}`)
}

export interface LinkMailValues {
  readonly token: string
  readonly code?: string | undefined
  /** One of the languages of mails. Default: the language of the settings. */
  readonly language?: string | undefined
  readonly expiresAt: number
}

/** A proof that the transaction of a change binds to its user, and the mail with its link. */
export interface LinkedProof {
  readonly row: MailProofRow
  readonly mail: NewMail
}

/**
 * Prepares a proof without a code, and its mail. No caller gets the id of the request, which a code
 * would need.
 */
export function prepareLinked(
  kind: ProofKind,
  language: LinkMailValues['language'],
  parts: LinkMailParts,
): LinkedProof {
  const content = { seal: parts.seal(), now: parts.clock.now() }
  const { row, token } = prepareProof(kind, '', content)
  const values = { token, language, expiresAt: row.expires_at }
  return { row: { ...row, code_hash: null }, mail: prepareLinkMail(kind, values, parts) }
}

export interface LinkMailParts {
  readonly seal: () => Seal
  /** Where the links in mails lead. */
  readonly pagesUrl: string
  readonly clock: Clock
}

/** Prepares the mail with the link of a proof, and with its code if it has one. */
export function prepareLinkMail(
  { purpose: template, page }: Pick<ProofKind, 'purpose' | 'page'>,
  { token, code, language, expiresAt }: LinkMailValues,
  { seal, pagesUrl, clock }: LinkMailParts,
): NewMail {
  const now = clock.now()
  const link = `${pagesUrl}/${page}?token=${token}`
  const parameters = { link, code, expires_at: new Date(expiresAt).toISOString(), language }
  const content = { parameters, seal: seal() }
  return prepareMail({ template, lifetimeMilliseconds: expiresAt - now }, content, now)
}

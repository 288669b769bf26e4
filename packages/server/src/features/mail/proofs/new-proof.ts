import { randomInt } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import { prepareMail, type MailParameters, type NewMail } from '../outbox/new-mail.ts'
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

const codeDigits = 8

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

/**
 * Prepares the mail with the link of a proof, and with its code if it has one.
 */
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

export function sealValues(seal: Seal, row: SealedRow, values: MailParameters): string {
  return seal.seal(JSON.stringify(values), contextOf(row))
}

/** Encrypts the data of a proof whose row is bound later, as if it were bound already. */
export function sealData(
  seal: Seal,
  row: SealedRow & Pick<MailProofRow, 'created_at'>,
  data: MailParameters,
): string {
  return sealValues(seal, { ...row, resolved_at: row.created_at }, data)
}

/**
 * Decrypts the values in a row. Returns undefined if the row has no values, or if they were
 * encrypted for another row.
 */
export function openValues(
  seal: Seal,
  row: SealedRow & Pick<MailProofRow, 'sealed'>,
): MailParameters | undefined {
  const text = row.sealed === null ? undefined : seal.open(row.sealed, contextOf(row))
  return text === undefined ? undefined : (JSON.parse(text) as MailParameters)
}

type SealedRow = Pick<MailProofRow, 'id' | 'purpose' | 'resolved_at'>

/**
 * Values from before and after `resolved_at` are encrypted with different contexts, so the values
 * of a request can never be read as the data of a bound proof.
 */
function contextOf({ id, purpose, resolved_at }: SealedRow): string {
  return `${id} ${purpose} ${resolved_at === null ? 'request' : 'data'}`
}

/** Returns a new code for a mail: eight digits. */
export function makeCode(): string {
  return String(randomInt(10 ** codeDigits)).padStart(codeDigits, '0')
}

// Encrypts and decrypts the values in the row of a proof (the column `sealed`).
import type { Seal } from '../../../base/seal.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import type { MailProofRow } from './tables.ts'

type SealedRow = Pick<MailProofRow, 'id' | 'purpose' | 'resolved_at'>

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

/**
 * Values from before and after `resolved_at` are encrypted with different contexts, so the values
 * of a request can never be read as the data of a bound proof.
 */
function contextOf({ id, purpose, resolved_at }: SealedRow): string {
  return `${id} ${purpose} ${resolved_at === null ? 'request' : 'data'}`
}

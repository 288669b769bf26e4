// Encrypts and decrypts the column `sealed` of a proof. It has the request until the resolver has
// looked up the account, and then the data of the purpose.
import type { Seal } from '../../../base/seal.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import type { MailProofRow } from './tables.ts'

/** What the resolver needs to make the mail of a request. */
export interface SealedRequest {
  /** What `ProofPurpose.resolve()` gets. */
  readonly values: MailParameters
  /** The secrets of the mail. The row has only their hashes. */
  readonly secrets: { readonly token: string; readonly code: string }
}

type ProofOf = Pick<MailProofRow, 'id' | 'purpose'>
type SealedProof = ProofOf & Pick<MailProofRow, 'sealed'>

export function sealRequest(seal: Seal, proof: ProofOf, request: SealedRequest): string {
  const texts = {
    values: JSON.stringify(request.values),
    secrets: JSON.stringify(request.secrets),
  }
  return seal.seal(JSON.stringify(texts), contextOf(proof, 'request'))
}

/** Decrypts a request. Undefined if the row has none, or if it was encrypted for another row. */
export function openRequest(seal: Seal, proof: SealedProof): SealedRequest | undefined {
  const text = open(seal, proof, 'request')
  if (text === undefined) return undefined

  const { values, secrets } = JSON.parse(text) as Record<keyof SealedRequest, string>
  return {
    values: JSON.parse(values) as MailParameters,
    secrets: JSON.parse(secrets) as SealedRequest['secrets'],
  }
}

export function sealData(seal: Seal, proof: ProofOf, data: MailParameters): string {
  return seal.seal(JSON.stringify(data), contextOf(proof, 'data'))
}

/** Decrypts the data of a purpose, as `openRequest()` does with a request. */
export function openData(seal: Seal, proof: SealedProof): MailParameters | undefined {
  const text = open(seal, proof, 'data')
  return text === undefined ? undefined : (JSON.parse(text) as MailParameters)
}

/** Whether the values of a row, a request or data, can be decrypted. */
export function canOpen(
  seal: Seal,
  proof: SealedProof & Pick<MailProofRow, 'resolved_at'>,
): boolean {
  return open(seal, proof, proof.resolved_at === null ? 'request' : 'data') !== undefined
}

type Content = 'request' | 'data'

function open(seal: Seal, proof: SealedProof, content: Content): string | undefined {
  return proof.sealed === null ? undefined : seal.open(proof.sealed, contextOf(proof, content))
}

/** A request has another context than data, so a request can never be read as data. */
function contextOf({ id, purpose }: ProofOf, content: Content): string {
  return `${id} ${purpose} ${content}`
}

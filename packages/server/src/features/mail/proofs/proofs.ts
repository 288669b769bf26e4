// Mail proofs: links and codes in mails. "A new password by a link in a mail" in ARCHITECTURE.md is
// the walk through this room. Each purpose is a record (`purpose.ts`). `proofs.ts` stores a request
// and finds a proof, `new-proof.ts` makes its secrets, `resolver.ts` finds the account later, and
// `code-store.ts` counts wrong codes. `…-in-transaction.ts` binds, spends, claims and erases proofs
// in the commands of the flows.
import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import { tryCode } from './code-store.ts'
import type { ProofKind } from './kinds.ts'
import { codeSecrets, prepareProof } from './new-proof.ts'
import { openData, sealRequest } from './sealed-values.ts'
import type { SpendableProof } from './spend-in-transaction.ts'
import { findByToken, listBound, requestProof, type BoundProofRow, type Valid } from './store.ts'
import type { MailProofRow } from './tables.ts'

/** What a person sends: the token of the link, or the code with the id of its request. */
export type Presented =
  | { readonly token: string }
  | { readonly requestId: string; readonly code: string }

/**
 * A proof that was found to be valid. It is spent later with `spendProof()`, in the transaction
 * that makes the change.
 */
export interface FoundProof extends SpendableProof {
  /** The data that the purpose stored with the proof. */
  readonly data: MailParameters
}

export interface ListedProof extends BoundProofRow {
  /** The data that the purpose stored. Undefined if it was encrypted with another key. */
  readonly data: MailParameters | undefined
}

/** The row of a request that the caller of `prepare()` stores, and the id that the person gets. */
export interface PreparedRequest {
  readonly requestId: string
  readonly row: MailProofRow
}

export interface MailProofs {
  /**
   * Stores a request. Does NOT read the account: the resolver reads it after the answer.
   *
   * @param values the values that `ProofPurpose.resolve()` gets later. They are stored encrypted
   * @param countedFor the key under which wrong codes are counted until the proof is bound to an
   *   account: for example the result of `countedLogin()` or `countedMailbox()`, which is the same
   *   for all spellings. Only a hash of the key is stored
   * @returns the id of the request, which the caller sends with the code
   */
  request(kind: ProofKind, values: MailParameters, countedFor: string): Promise<string>
  /**
   * Prepares a request, but unlike `request()` does NOT store it. The caller stores the row with
   * `insertProof()`, in the transaction of its own change.
   */
  prepare(kind: ProofKind, values: MailParameters, countedFor: string): PreparedRequest
  /**
   * Finds a proof and does NOT spend it. Counts a wrong code. Returns undefined, without the
   * reason, if the proof is unknown, expired, spent or for another purpose, if there is no account,
   * if the code is wrong, or after too many tries.
   */
  find(kind: ProofKind, presented: Presented): Promise<FoundProof | undefined>
  /**
   * Lists the proofs of a purpose in the order of their mailboxes. The purpose must have at most
   * one proof for each mailbox.
   *
   * @param page.after a mailbox. The list starts with the mailbox that follows in the order
   */
  list(
    kind: ProofKind,
    page: { readonly after: string; readonly limit: number },
  ): Promise<readonly ListedProof[]>
}

export function createMailProofs(
  database: Pick<Database, 'reader' | 'write'>,
  { seal, clock }: { readonly seal: () => Seal; readonly clock: Clock },
): MailProofs {
  /** Undefined if the data of the proof cannot be decrypted. */
  const openProof = (row: BoundProofRow): FoundProof | undefined => {
    const { id, purpose, subject, mailbox } = row
    const data = row.sealed === null ? {} : openData(seal(), row)
    return data && { id, purpose, subject, mailbox, data }
  }

  /** Counts a wrong code, so it writes. */
  const findByCode = (
    { requestId, code }: Extract<Presented, { code: string }>,
    valid: Valid,
  ): Promise<BoundProofRow | undefined> => {
    const [id, secrets] = [hashSecret(requestId), codeSecrets(seal(), requestId, code)]
    return database.write(tryCode, { id, secrets, ...valid })
  }

  const prepare: MailProofs['prepare'] = (kind, values, countedFor) => {
    const counted = hashSecret(`${kind.purpose}\n${countedFor}`)
    const { requestId, row, token, code } = prepareProof(kind, counted, {
      seal: seal(),
      now: clock.now(),
    })
    const sealed = sealRequest(seal(), row, { values, secrets: { token, code } })
    return { requestId, row: { ...row, sealed } }
  }

  return {
    prepare,
    async request(kind, values, countedFor) {
      const { requestId, row } = prepare(kind, values, countedFor)
      await database.write(requestProof, row)
      return requestId
    },
    async find({ purpose }, presented) {
      const valid = { purpose, now: clock.now() }
      const found =
        'token' in presented
          ? await findByToken(database.reader, { token: presented.token, ...valid })
          : await findByCode(presented, valid)
      return found && openProof(found)
    },
    async list({ purpose }, page) {
      const rows = await listBound(database.reader, { ...page, purpose, now: clock.now() })
      return rows.map((row) => ({ ...row, data: openData(seal(), row) }))
    },
  }
}

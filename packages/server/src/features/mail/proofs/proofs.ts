// Mail proofs: links and codes in mails. "A new password by a link in a mail" in ARCHITECTURE.md is
// the walk through this room. Each purpose is a record (`purpose.ts`). `proofs.ts` stores a request
// and finds a proof, `new-proof.ts` makes its secrets, `resolver.ts` finds the account later,
// `in-transaction.ts` binds and spends proofs in the commands of the flows, and `store.ts` counts
// wrong codes.
//
// What differs between the flows:
//
// - A new password also exists for an app's own users. The proof is claimed for 30 s
//   (`claim-in-transaction.ts`), the app's `setPassword` is called, and then the proof is deleted
//   (decisions/0024-new-passwords-of-an-apps-own-users.md). All other flows are only for Keystile's
//   accounts.
// - The setting `emailVerification` decides what `POST /users` does (server/wire/mail-flows.ts).
//   With `off` and `optional` it creates an account, with `optional` together with the request for
//   the mail. With `required` it stores a registration and no account.
// - Who confirms an address must be the person who chose the password. For an account, the access
//   token or the password shows this. For a registration, the password shows it, or the code
//   together with the id of the registration.
// - A new address is confirmed by a mail if `emailVerification` is not `off` or the old address is
//   verified. The old address gets a mail with a token that restores it; while it works, no other
//   user gets an old address that was verified (decisions/0025-the-old-mailbox-undoes-a-change.md).
// - An invitation needs no resolver. A resolver exists so that an endpoint that strangers can call
//   looks up no account, but only an operator or the app invites. So its proof is bound from the
//   start, to the mailbox and the id of the future user.
import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import type { MailParameters } from '../outbox/new-mail.ts'
import type { SpendableProof } from './in-transaction.ts'
import type { ProofKind } from './kinds.ts'
import { codeSecrets, prepareProof, type NewProof } from './new-proof.ts'
import { openValues, sealValues } from './sealed-values.ts'
import { findByToken, listBound, requestProof, tryCode, type BoundProofRow } from './store.ts'
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

/** The secrets of the mail, which the row of a request stores encrypted. */
export type StoredSecrets = Pick<NewProof, 'token' | 'code'>

export function createMailProofs(
  database: Pick<Database, 'reader' | 'write'>,
  { seal, clock }: { readonly seal: () => Seal; readonly clock: Clock },
): MailProofs {
  const foundOf = (row: BoundProofRow | undefined): FoundProof | undefined => {
    if (!row) return undefined
    const { id, purpose, subject, mailbox } = row
    const data = row.sealed === null ? {} : openValues(seal(), row)
    return data && { id, purpose, subject, mailbox, data }
  }

  const prepare: MailProofs['prepare'] = (kind, values, countedFor) => {
    const counted = hashSecret(`${kind.purpose}\n${countedFor}`)
    const { requestId, row, token, code } = prepareProof(kind, counted, {
      seal: seal(),
      now: clock.now(),
    })
    const secrets = JSON.stringify({ token, code } satisfies StoredSecrets)
    const sealed = sealValues(seal(), row, { values: JSON.stringify(values), secrets })
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
      const now = clock.now()
      if ('token' in presented)
        return foundOf(await findByToken(database.reader, { token: presented.token, purpose, now }))

      const { requestId, code } = presented
      const [id, secrets] = [hashSecret(requestId), codeSecrets(seal(), requestId, code)]
      return foundOf(await database.write(tryCode, { id, secrets, purpose, now }))
    },
    async list({ purpose }, page) {
      const rows = await listBound(database.reader, { ...page, purpose, now: clock.now() })
      return rows.map((row) => ({ ...row, data: openValues(seal(), row) }))
    },
  }
}

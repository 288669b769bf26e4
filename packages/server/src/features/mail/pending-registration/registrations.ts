import { randomId, type Clock } from 'keystile/internal'
import { refuseFaults } from '../../../http/json-body.ts'
import { countedMailbox } from '../../../base/mailbox.ts'
import type { Database } from '../../../storage/database.ts'
import { findPasswordErrors } from '../../users/accounts/account-fields.ts'
import type { ReadRegistration } from '../../users/accounts/registration-form.ts'
import { userOfNewRow, type User } from '../../users/accounts/users.ts'
import type { By } from '../../operations/audit/entry.ts'
import { parseUsername, type ComparableName } from '../../users/directory/names.ts'
import type { FoundProof, MailProofs, Presented } from '../proofs/proofs.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { registrationKind, type RegistrationRequest } from './purpose.ts'
import { findPending, finishRegistration, insertPending, newAccountRow } from './store.ts'

/**
 * Stores registrations, and turns them into accounts when their owners confirm the address by mail.
 */
export interface Registrations {
  /**
   * Stores a registration. The mail is sent later. Does NOT look up an account: the work and the
   * result are the same whether or not the name or the address is taken.
   *
   * @param language the language of the mail, or empty
   * @returns the id of the registration. The caller must send it together with the code of the mail
   */
  register(registered: ReadRegistration, language: string): Promise<string>
  /** Finds a registration and does NOT spend its proof: see `MailProofs.find()`. */
  find(presented: Presented): Promise<FoundRegistration | undefined>
}

export interface FoundRegistration {
  /** The subject that the account will have. */
  readonly subject: string
  readonly passwordHash: string
  /**
   * Creates the account, with a verified address. Does NOT check the password against the hash: the
   * caller does.
   *
   * @throws {ProblemError} `unprocessable_content` if the password rules refuse the password
   *   together with the new name
   */
  finish(changed: ChangedName | undefined, by: By): Promise<FinishedRegistration>
}

/**
 * A new user name that replaces the registered name. The caller must give the password as well,
 * because the password rules depend on the name.
 */
export interface ChangedName {
  readonly username: ComparableName
  readonly password: string
}

/** The new user, or why no account was created. After `taken`, the proof can be used again. */
export type FinishedRegistration =
  | { readonly outcome: 'created'; readonly user: User }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }

export interface RegistrationsParts {
  readonly database: Pick<Database, 'reader' | 'write'>
  readonly proofs: MailProofs
  readonly passwordPolicy: PasswordPolicy
  readonly clock: Clock
}

export function createRegistrations(parts: RegistrationsParts): Registrations {
  const { database, proofs, clock } = parts
  return {
    async register({ username, email, passwordHash, profile }, language) {
      const subject = randomId()
      const values: RegistrationRequest = { subject, email: email.shown, language }
      const counted = countedMailbox(email.key)
      const { requestId, row: proof } = proofs.prepare(registrationKind, values, counted)
      const row = {
        id: proof.id,
        subject,
        username: username.shown,
        email: email.shown,
        email_key: email.key,
        password_hash: passwordHash,
        profile: JSON.stringify(profile),
        expires_at: proof.expires_at,
      }
      await database.write(insertPending, { row, proof })
      return requestId
    },
    async find(presented) {
      const proof = await proofs.find(registrationKind, presented)
      if (!proof) return undefined

      const pending = await findPending(database.reader, { ...proof, now: clock.now() })
      if (!pending) return undefined
      const { subject, password_hash: passwordHash } = pending
      return {
        subject,
        passwordHash,
        finish: (changed, by) => finish({ pending, proof, changed, by }, parts),
      }
    },
  }
}

interface Finishing {
  readonly pending: Parameters<typeof newAccountRow>[0]
  readonly proof: FoundProof
  readonly changed: ChangedName | undefined
  readonly by: By
}

async function finish(
  { pending, proof, changed, by }: Finishing,
  { database, passwordPolicy, clock }: RegistrationsParts,
): Promise<FinishedRegistration> {
  if (changed) {
    const owner = { username: changed.username.shown, email: pending.email }
    refuseFaults(findPasswordErrors('password', changed.password, owner, passwordPolicy))
  }

  const now = clock.now()
  const username = changed?.username ?? parseUsername(pending.username)
  if (!username) throw new Error('a stored registration must have a valid user name')
  const row = newAccountRow(pending, username, now)
  const finished = await database.write(finishRegistration, { proof, row, by, now })
  return finished.outcome === 'created' ? { outcome: 'created', user: userOfNewRow(row) } : finished
}

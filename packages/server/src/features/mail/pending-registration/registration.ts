// The flow of registrations that wait for a mail: they become accounts when their owners confirm
// the address. The endpoint that confirms them also verifies the addresses of accounts: see
// `email-verification/verification.ts`.
import { randomId, type HttpRequestWithBody } from 'keystile/internal'
import { countedMailbox } from '../../../base/mailbox.ts'
import { refuseFaults } from '../../../http/json-body.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Acceptance } from '../../users/accounts/acceptance.ts'
import { findPasswordErrors } from '../../users/accounts/account-fields.ts'
import type { Profile } from '../../users/accounts/profile.ts'
import {
  createRegistrationForm,
  type ReadRegistration,
} from '../../users/accounts/registration-form.ts'
import type { OnPage, Registration } from '../../users/accounts/registration.ts'
import { newRowOf, userOf, type NewUser, type User } from '../../users/accounts/user.ts'
import { mailboxOf, parseUsername, type ComparableName } from '../../users/directory/names.ts'
import { languageFor } from '../flows/endpoint-parts.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { FoundProof } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { registrationRoute, type PendingBegun } from './routes.ts'
import {
  bindRegistration,
  findPending,
  finishRegistration,
  insertPending,
  type NotFinished,
} from './store.ts'
import type { PendingRegistrationRow } from './tables.ts'

/** The registration if addresses must be confirmed. `begin()` creates no account. */
export interface Registrations extends Registration {
  /** Finds a registration and does NOT spend its proof: see `MailProofs.find()`. */
  find(presented: PresentedRegistration): Promise<FoundRegistration | undefined>
}

/** The token of a link, or a code with the id of its registration. */
export type PresentedRegistration =
  | { readonly token: string }
  | { readonly registrationId: string; readonly code: string }

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
  finish(changed: ChangedName | undefined, by: By): Promise<User | NotFinished>
}

/**
 * A new user name that replaces the registered name. The caller must give the password as well,
 * because the password rules depend on the name.
 */
export interface ChangedName {
  readonly username: ComparableName
  readonly password: string
}

export function registrationFlow(parts: FlowParts): Pick<MailFlow, 'purpose'> & Registrations {
  const { database, proofs, clock } = parts
  const form = createRegistrationForm(parts)

  async function begin(request: HttpRequestWithBody, onPage?: OnPage): Promise<PendingBegun> {
    const registered = { ...(await form.read(request)), accepted: onPage?.accepted }
    const registrationId = await store(registered, languageFor(request), parts)
    return { outcome: 'pending', registrationId }
  }

  return {
    begin,
    route: registrationRoute(form, begin),
    purpose: createPurpose(parts),
    async find(presented) {
      const wanted =
        'token' in presented ? presented : { ...presented, requestId: presented.registrationId }
      const proof = await proofs.find(proofKinds.registration, wanted)
      const pending = proof && (await findPending(database.reader, { ...proof, now: clock.now() }))
      if (!proof || !pending) return undefined

      return {
        subject: pending.subject,
        passwordHash: pending.password_hash,
        finish: (changed, by) => finishPending(proof, pending, { changed, by }, parts),
      }
    },
  }
}

/**
 * Stores a registration. The mail is sent later. Does NOT look up an account: the work and the
 * result are the same whether or not the name or the address is taken.
 *
 * @param language one of the languages of mails, or empty for the language of the settings
 * @returns the id of the registration. The caller must send it together with the code of the mail
 */
async function store(
  registered: ReadRegistration & { readonly accepted: Acceptance | undefined },
  language: string,
  { database, proofs, clock }: FlowParts,
): Promise<string> {
  const { username, email, passwordHash, profile, accepted } = registered
  const subject = randomId()
  const values = {
    subject,
    email: email.shown,
    language,
    ...(accepted && { accepted: JSON.stringify({ ...accepted, at: clock.now() }) }),
  }
  const counted = countedMailbox(email.key)
  const { requestId, row: proof } = proofs.prepare(proofKinds.registration, values, counted)
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
}

/**
 * The mail has a link and a code that finish the registration. If an account already has the
 * address, the mail only says that the account exists. In both cases, wrong codes are counted for
 * the address.
 */
function createPurpose({ users }: FlowParts): ProofPurpose {
  return {
    ...proofKinds.registration,
    bind: bindRegistration,
    async resolve({ subject = '', email = '', language = '', accepted }) {
      const mailbox = mailboxOf(email)
      if (mailbox === undefined) return undefined

      const holder = (await users.findByLogin(mailbox))?.publicUser
      if (holder?.email == null) {
        const kept = accepted !== undefined && { data: { accepted } }
        return { subject, mailbox, recipient: email, keepsCount: true, ...kept }
      }

      const notice = { template: 'already_registered', parameters: { language } }
      return { subject: holder.id, mailbox, recipient: holder.email, notice }
    },
  }
}

/** Creates the account of a registration, perhaps with another name. */
async function finishPending(
  proof: FoundProof,
  pending: PendingRegistrationRow,
  { changed, by }: { readonly changed: ChangedName | undefined; readonly by: By },
  { database, passwordPolicy, clock }: FlowParts,
): Promise<User | NotFinished> {
  if (changed) {
    const owner = { username: changed.username.shown, email: pending.email }
    refuseFaults(findPasswordErrors('password', changed.password, owner, passwordPolicy))
  }

  const row = newRowOf(newUserOf(pending, changed), clock.now())
  const { accepted: json } = proof.data
  // `register` has written the JSON.
  const accepted = json === undefined ? undefined : (JSON.parse(json) as Acceptance)
  const outcome = await database.write(finishRegistration, { proof, row, by, accepted })
  return outcome === 'created' ? userOf(row) : outcome
}

function newUserOf(pending: PendingRegistrationRow, changed: ChangedName | undefined): NewUser {
  const { subject: id, email: shown, email_key: key, password_hash: passwordHash } = pending
  const username = changed?.username ?? parseUsername(pending.username)
  if (!username) throw new Error('a stored registration must have a valid user name')
  const profile = JSON.parse(pending.profile) as Profile
  const address = { email: { shown, key }, emailVerified: true }
  return { id, username, ...address, passwordHash, scopes: [], roles: [], profile }
}

// What all flows by mail share. In a flow, a person does something with a link or a code from a
// mail, for example sets a new password.
import type * as z from 'zod'
import { ProblemError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import { secondMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import { stringField } from '../../../http/json-body.ts'
import type { Route, SuccessDoc } from '../../../http/route.ts'
import type { Database } from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import type { Devices } from '../../sign-in/known-devices/devices.ts'
import type { RegistrationFormParts } from '../../users/accounts/registration.ts'
import { tooManyTries, type AccountCaller } from '../../users/accounts/route-parts.ts'
import type { User } from '../../users/accounts/users.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Language } from '../messages/message.ts'
import type { Notices } from '../messages/notices.ts'
import type { LinkMailParts } from '../proofs/new-proof.ts'
import type { FoundProof, MailProofs, Presented } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'

/** A flow by mail: one record, and one file that makes it. */
export interface MailFlow<C = AccountCaller> {
  /** Finds out to whom the mails of requests go. Undefined if no request waits for the resolver. */
  readonly purpose?: ProofPurpose
  readonly routes: readonly Route<C>[]
}

/**
 * What the flows are made from. Each of them uses only some parts.
 *
 * @typeParam U a user of the directory
 */
export interface FlowParts<U = User> extends RegistrationFormParts, LinkMailParts {
  readonly issuer: string
  readonly database: Pick<Database, 'reader' | 'write'>
  readonly directory: Directory<U>
  readonly devices: Pick<Devices, 'open'>
  readonly proofs: MailProofs
  readonly notices: Notices
}

/** The rate limit of refused confirmations. Each flow has one of its own. */
export function confirmRate(name: string): LimitRate {
  const intervalMilliseconds = 30 * secondMilliseconds
  return { name, burst: 100, intervalMilliseconds, isGivenBackWhole: true }
}

/** What a request answers, whether or not a mail follows. */
export const requestAccepted: SuccessDoc = {
  status: 202,
  description: 'The id of the request, which is needed with the code',
  schema: requiredString('request_id'),
}

/** The refusals of a confirmation, for the OpenAPI document. */
export const proofRefuses: Readonly<Record<number, string>> = {
  403: 'The link or the code is wrong, was used before, or has expired',
  429: tooManyTries,
}

/** Returns the JSON Schema of an object with one string. */
export function requiredString(name: string): JsonObject {
  return { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] }
}

/** Returns the language of the mail for a request; empty for the language of the settings. */
export function languageFor({ headers }: Pick<HttpRequestWithBody, 'headers'>): Language | '' {
  return preferredLanguage(headers.get('accept-language')) ?? ''
}

/**
 * The members of a body with the token of a link, or with a code and its request id.
 * `presentedOf()` checks that the body has either the token, or the code and the request id.
 */
export const proofFields: Readonly<
  Record<'token' | 'request_id' | 'code', z.ZodOptional<z.ZodString>>
> = {
  token: stringField().meta({ description: 'The `token` in the link' }).optional(),
  request_id: stringField().meta({ description: 'Send it with the code' }).optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
}

/**
 * Returns the token of a link, or a code with its request id, from the members of a body.
 *
 * @throws {ProblemError} 422 unless the body has only a token, or only a code and its request id
 */
export function presentedOf(
  fields: Partial<Record<keyof typeof proofFields, string | undefined>>,
): Presented {
  const { token, request_id: requestId, code } = fields
  if (token !== undefined && requestId === undefined && code === undefined) return { token }
  if (token === undefined && requestId !== undefined && code !== undefined)
    return { requestId, code }
  throw unprocessable('The body must have either token, or request_id and code')
}

/** Returns the error for a body that lacks a member, or has members that cannot be combined. */
export function unprocessable(message: string): ProblemError {
  return new ProblemError('unprocessable_content', message, { errors: [] })
}

interface Confirming {
  /** The token of a link; undefined for a code. */
  readonly token?: string | undefined
  readonly by: By
  /** Whether the token can still be used. */
  isOpen(token: string): Promise<boolean>
}

/**
 * Confirms something. A confirmation counts before it begins, so that parallel ones cannot exceed
 * the limit. If it is not refused, it gets a refund.
 *
 * If strangers in the same network have used up its limit, a link that works has a limit of its
 * own. So they cannot stop the owner of the link.
 */
export async function confirmCounted<T>(
  limits: Limits,
  rate: LimitRate,
  { token, by, isOpen }: Confirming,
  confirm: () => Promise<T>,
): Promise<T> {
  const ofAddress = limits.usesAt(rate, by.address)
  const spent = (await limits.tryCount(ofAddress)) ?? (await limits.count(await usesOfLink()))
  const confirmed = await confirm()
  await limits.refund(spent)
  return confirmed

  async function usesOfLink(): Promise<readonly Use[]> {
    const isRight = token !== undefined && (await isOpen(token))
    return isRight ? [useOf(rate, token)] : ofAddress
  }
}

/** Finds the user of a proof, if the user is active and still has the mailbox of the proof. */
export async function findOwner<U>(
  proof: FoundProof | undefined,
  directory: Pick<Directory<U>, 'findActive' | 'email'>,
): Promise<U | undefined> {
  const user = proof && (await directory.findActive(proof.subject))
  if (user === undefined) return undefined
  return mailboxOf(directory.email(user)) === proof?.mailbox ? user : undefined
}

/**
 * Returns the error for a confirmation without a valid link or code. It does not say what is wrong.
 */
export function refusedProof(advice = 'request a new one'): ProblemError {
  return new ProblemError(
    'forbidden',
    `The link or the code is wrong, was used before, or has expired; ${advice}`,
  )
}

// The endpoints that the pages of the account use, each with the part of its answer that they read.
// `endpoints.ts` calls them. An app's own users have only some of them.
import type { JsonObject } from 'keystile/internal'

export interface EndpointAnswers {
  'GET /users/me': OwnUser
  'PATCH /users/me': unknown
  'DELETE /users/me': unknown
  'POST /users/me/password': unknown
  'POST /users/me/email': SentMail
  'POST /email-changes/confirm': unknown
  'POST /email-verifications': SentMail
  'POST /email-verifications/confirm': unknown
  'GET /users/me/factors': OwnFactors
  'POST /users/me/factors/totp': { readonly secret: string }
  'POST /users/me/factors/totp/confirm': NewCodes
  'DELETE /users/me/factors/totp': unknown
  'POST /users/me/factors/recovery-codes': NewCodes
  'GET /users/me/sessions': { readonly sessions: readonly OwnSession[] }
  'DELETE /users/me/sessions': unknown
  'DELETE /users/me/sessions/{id}': unknown
}

export type EndpointName = keyof EndpointAnswers

/** The user, with the fields of the profile. */
export type OwnUser = JsonObject & {
  readonly email: string | null
  readonly email_verified: boolean
}

/** The request of a mail with a code. It is absent if nothing needs a confirmation. */
interface SentMail {
  readonly request_id?: string
}

export interface OwnFactors {
  readonly totp: OwnApp | null
  /** How many codes are left. */
  readonly recovery_codes: number
  readonly recovery_codes_created_at: string | null
}

/** The authenticator app that a person has set up. */
export interface OwnApp {
  readonly created_at: string
}

export interface NewCodes {
  readonly recovery_codes: readonly string[]
}

export interface OwnSession {
  readonly id: string
  readonly client_id: string
  readonly device: string | null
  readonly last_used_at: string
  /** Whether it is the login of this browser. */
  readonly current: boolean
}

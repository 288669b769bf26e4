// The refusals of a login: what each tells the client, and how the login can go on.

import { OAuthError, type JsonObject } from 'keystile/internal'
import type { EnrolmentStep } from '../../sign-in/login/enrolment.ts'
import type { LoginOutcome } from '../../sign-in/login/login.ts'
import { isWrongFactor, type WrongFactor } from '../../sign-in/login/methods/method.ts'

/** A login that needs no further step. */
export type EndedLogin = Extract<LoginOutcome, { outcome: 'granted' | 'code' }>

/** Returns the refusal of a login that has not ended with tokens or a code. */
export function refusalOf(done: Exclude<LoginOutcome, EndedLogin>): OAuthError {
  switch (done.outcome) {
    case 'over':
      return invalidSession()
    case 'unmet':
      return unmetRefusal()
    case 'next':
      return stepRefusal(done)
    case 'enrol':
      return enrolmentRefusal(done)
    case 'refused':
      break
  }
  return wrongProofRefusal(done)
}

/** The same for each reason: the caller must not learn what is wrong with the session. */
export function invalidSession(): OAuthError {
  return new OAuthError('invalid_session', 'This login is over: log in from the start')
}

function unmetRefusal(): OAuthError {
  return new OAuthError(
    'unmet_authentication_requirements',
    'The account must have a second factor: set one up in the app first',
  )
}

/** Tells the client which methods can go on with the login. */
function stepRefusal({
  authSession,
  methods,
}: Extract<LoginOutcome, { outcome: 'next' }>): OAuthError {
  const names = methods.join(' or ')
  const what = authSession === undefined ? names : `auth_session with ${names}`
  const message = `The login needs another step: send ${what}`
  const members = { auth_session: authSession, methods }
  return new OAuthError('insufficient_authorization', message, { members })
}

/** Tells the client how a person who must have a second factor and has none sets it up. */
function enrolmentRefusal({ authSession, needsEmailCode, shown }: EnrolmentStep): OAuthError {
  const members = { auth_session: authSession, methods: [], enrol: ['totp'] }
  if (shown) {
    const { secret, uri, qrSvg } = shown
    return mustEnrol('with otp, a code of the app', {
      ...members,
      methods: ['otp'],
      secret,
      uri,
      qr_svg: qrSvg,
    })
  }
  if (needsEmailCode) {
    const next = 'with enrol=totp and email_code, the code of the mail'
    return mustEnrol(next, { ...members, email_code: true })
  }
  return mustEnrol('with enrol=totp', members)
}

function mustEnrol(next: string, members: JsonObject): OAuthError {
  const message = `This account must have a second factor: send auth_session ${next}`
  return new OAuthError('insufficient_authorization', message, { members })
}

type WrongProof = Extract<LoginOutcome, { outcome: 'refused' }>

function wrongProofRefusal({ reason, authSession, methods }: WrongProof): OAuthError {
  const members = { auth_session: authSession, methods }
  return new OAuthError('invalid_grant', wrongProofMessage(reason, authSession), { members })
}

/** Before the first proof, there is no `authSession`, and the message hides what is wrong. */
function wrongProofMessage(reason: WrongProof['reason'], authSession: string | undefined): string {
  if (isWrongFactor(reason)) return factorMessages[reason]
  return authSession === undefined ? 'Incorrect username or password' : 'Incorrect code'
}

const factorMessages: Readonly<Record<WrongFactor, string>> = {
  malformed_code: 'The otp must be six digits',
  wrong_code: 'Incorrect code',
  wrong_recovery_code: 'Incorrect recovery code',
  wrong_email_code: 'Incorrect email_code',
  unknown_enrolment: 'The value of enrol must be totp',
}

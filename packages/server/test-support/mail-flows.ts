// The flows that a mail completes, as a list. Tests of scanners, flaws, guessing and timing go
// through it, so a new flow is tested by one record more.
import assert from 'node:assert/strict'
import type { AppMail, MailMessage } from '@keystile/server'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { codeAt } from '../src/features/credentials/second-factors/totp.ts'
import {
  createTestClock,
  type Answer,
  type SendOptions,
  type Stage,
  type TestClock,
  type TestKeystile,
} from './keystile.ts'
import { writeInvitation } from './mailbox.ts'
import { mailsSent } from './mails-sent.ts'

/** The password that a test sets by a mail. */
export const nextPassword = 'purple monkey dishwasher'

/** A person who goes through a flow. */
export interface Person {
  readonly username: string
  readonly email: string
  readonly password: string
  /** Options of all requests of the person, such as the IP address. */
  readonly from?: SendOptions
}

/** The Keystile that a person asks for a mail. */
type Asked = Pick<TestKeystile, 'keystile' | 'send'>

/** A flow: a person asks for a mail, and its link or its code allows one change. */
export interface MailFlow {
  readonly name: string
  /** The settings that the flow needs. */
  readonly options: {
    readonly emailVerification?: 'off' | 'optional' | 'required'
    readonly secondFactor?: 'optional'
  }
  /**
   * Adds the person if the flow is for users, and asks for the mail. The answer has the id of the
   * request, and the address of the mail has the number in the name of the person.
   */
  ask(person: Person, started: Asked): Promise<Pick<Answer, 'status' | 'text' | 'json'>>
  /** The name of the id that belongs to a code. Undefined if the mail has no code. */
  readonly idName?: 'request_id' | 'registration_id'
  /** The path that takes the token, or the code with the id of the request. */
  readonly confirmPath: string
  /** What a confirmation sends besides the token or the code: the fields of the page. */
  fields(person: Person): Readonly<Record<string, string>>
  /** The path of the page that the link opens, and to which its form is posted. */
  readonly page: string
}

/** All flows. Add a flow here. */
export const mailFlows: readonly MailFlow[] = [
  {
    name: 'password reset',
    options: {},
    async ask({ username, email, password, from }, { keystile, send }) {
      await keystile.users?.create({ username, email, password })
      return send('POST', '/password-resets', { ...from, json: { login: username } })
    },
    idName: 'request_id',
    confirmPath: '/password-resets/confirm',
    fields: () => ({ new_password: nextPassword }),
    page: '/account/reset-password',
  },
  {
    name: 'email verification',
    options: { emailVerification: 'optional' },
    async ask(person, started) {
      const bearer = await addAndLogIn(person, started)
      return started.send('POST', '/email-verifications', { ...person.from, bearer, json: {} })
    },
    idName: 'request_id',
    confirmPath: '/email-verifications/confirm',
    fields: ({ password }) => ({ password }),
    page: '/account/verify-email',
  },
  {
    name: 'registration',
    options: { emailVerification: 'required' },
    ask: ({ from, ...json }, { send }) => send('POST', '/users', { ...from, json }),
    idName: 'registration_id',
    confirmPath: '/email-verifications/confirm',
    fields: ({ password }) => ({ password }),
    page: '/account/finish-registration',
  },
  {
    name: 'email change',
    options: { emailVerification: 'optional' },
    ask: changeEmail,
    idName: 'request_id',
    confirmPath: '/email-changes/confirm',
    fields: ({ password }) => ({ password }),
    page: '/account/confirm-email-change',
  },
  {
    // Without verification the address changes at once. The old address gets the link.
    name: 'undo of an email change',
    options: { emailVerification: 'off' },
    ask: changeEmail,
    confirmPath: '/email-changes/undo',
    fields: () => ({}),
    page: '/account/undo-email-change',
  },
  {
    name: 'undo of a second factor',
    options: { secondFactor: 'optional' },
    ask: setUpFactor,
    confirmPath: '/factors/undo',
    fields: () => ({}),
    page: '/account/undo-factor',
  },
  {
    name: 'invitation',
    options: { emailVerification: 'optional' },
    async ask({ email }, { keystile }) {
      const sent = await keystile.users?.invite({ email })
      return { status: 202, text: '', json: { request_id: sent?.requestId } }
    },
    idName: 'request_id',
    confirmPath: '/invitations/accept',
    fields: ({ username, password }) => ({ username, password }),
    page: '/account/accept-invitation',
  },
]

/** Adds a person, and returns an access token of this person. */
async function addAndLogIn(
  { username, email, password, from }: Person,
  { keystile, send }: Asked,
): Promise<string> {
  await keystile.users?.create({ username, email, password })
  const { json } = await send('POST', '/token', { ...from, form: { username, password } })
  return String(json['access_token'])
}

/** Adds a person with a verified address, who sets up an authenticator app. */
async function setUpFactor(
  { username, email, password, from }: Person,
  { keystile, send }: Asked,
): Promise<Pick<Answer, 'status' | 'text' | 'json'>> {
  await keystile.users?.create({ username, email, password, emailVerified: true })
  const { json } = await send('POST', '/token', { ...from, form: { username, password } })
  const bearer = String(json['access_token'])
  const begun = await send('POST', '/users/me/factors/totp', { ...from, bearer })
  const { iat } = decodeJwtUnsafe(bearer).claims
  const code = codeAt(String(begun.json['secret']), Math.floor(Number(iat) / 30))
  const confirm = '/users/me/factors/totp/confirm'
  const { status, text } = await send('POST', confirm, { ...from, bearer, json: { code } })
  return { status: status === 200 ? 204 : status, text, json: {} }
}

/** Adds a person, who asks for a new address. */
async function changeEmail(person: Person, started: Asked): Promise<Answer> {
  const bearer = await addAndLogIn(person, started)
  const { password: current_password, username } = person
  const json = { current_password, new_email: `${username}@new.example` }
  return started.send('POST', '/users/me/email', { ...person.from, bearer, json })
}

/** What a person reads in a mail. */
export interface ReadMail {
  readonly message: MailMessage
  readonly token: string
  readonly code: string
  /** The path of the link, below the issuer. */
  readonly path: string
}

export function readMail(message: MailMessage | undefined): ReadMail {
  assert.ok(message, 'no mail was sent')
  const link = /^http\S+$/m.exec(message.text)?.[0] ?? ''
  return {
    message,
    token: /token=([\w-]{43})$/.exec(link)?.[1] ?? '',
    code: /^\d{4} \d{4}$/m.exec(message.text)?.[0] ?? '',
    path: link.replace(/^.*?(?=\/account\/)/, ''),
  }
}

/** Keystile whose mails go to a list, by the app's own function. */
export interface TestMails extends TestKeystile {
  readonly clock: TestClock
  readonly mails: MailMessage[]
  /** Resolves when all requests are resolved and all mails are sent. */
  settled(): Promise<void>
  /** Asks for a mail, waits until it is sent, and returns it with the id of its request. */
  asked(login?: string, options?: SendOptions): Promise<ReadMail & { readonly request_id: string }>
  /** Sets a new password by a token or a code. */
  confirm(fields: object, options?: SendOptions): Promise<Answer>
}

/** Starts Keystile with mail, on a clock of the test. */
export async function startMails(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<TestMails> {
  const clock = createTestClock()
  const mails: MailMessage[] = []
  const mail: AppMail = {
    from: 'no-reply@example.com',
    send: (message) => void mails.push(message),
    templates: { invitation: writeInvitation },
  }
  const started = await stage.start({
    clock,
    mail,
    ...options,
  })
  const settled = (): Promise<void> => mailsSent(stage)
  return {
    ...started,
    clock,
    mails,
    settled,
    async asked(login = 'ada', sendOptions = {}) {
      // So that the last mail is the one asked for, and not one of before that is sent late.
      await settled()
      const { status, json, text } = await started.send('POST', '/password-resets', {
        ...sendOptions,
        json: { login },
      })
      assert.equal(status, 202, text)
      await settled()
      return { request_id: String(json['request_id']), ...readMail(mails.at(-1)) }
    },
    confirm: (fields, sendOptions = {}) =>
      started.send('POST', '/password-resets/confirm', {
        ...sendOptions,
        json: { new_password: nextPassword, ...fields },
      }),
  }
}

/** Returns the hidden fields of the form in a page. */
export function hiddenFieldsOf(page: string): Readonly<Record<string, string>> {
  const fields = page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)
  return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]))
}

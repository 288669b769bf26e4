// The pages on which people register: the form, and the page for the code of the mail. What they
// call is what the endpoints call, with all rules and limits. `register-page.ts` draws the pages.
import { type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Verifications } from '../../mail/email-verification/verification-types.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { BegunRegistration } from '../../users/accounts/registration.ts'
import { readAcceptance } from '../account-pages/acceptance.ts'
import { readUsername } from '../account-pages/confirmation-page.ts'
import { acceptedName } from '../account-pages/field-names.ts'
import { describeBoundForm, pageRoute } from '../account-pages/page-route.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { withJson } from '../account-pages/with-json.ts'
import type { SentForm } from './ask-login.ts'
import type { FormReceiver } from './bound-forms.ts'
import { readKeptRegistration, registrationCookie } from './kept-registration.ts'
import { withCookies } from './login-cookies.ts'
import { registerPage, sentPage } from './register-page.ts'
import { refusedCode, refusedRegistration } from './registration-faults.ts'
import type { RegistrationParts } from './registration-parts.ts'

/** What the pages of a login do for these pages. */
interface LoginSteps {
  readonly cookies: Pick<PageCookies, 'registration'>
  /** Shows a page, unless the browser is logged in. */
  open(request: HttpRequestWithBody, draw: (reader: PageReader) => HttpAnswer): Promise<HttpAnswer>
  readonly receive: FormReceiver
  /** Logs in with the name and the password in a form. */
  logIn(sent: SentForm): Promise<HttpAnswer>
}

const idName = 'registration_id'

export function registrationRoutes(
  parts: RegistrationParts,
  steps: LoginSteps,
): readonly OpenRoute[] {
  const { confirm, profile } = parts
  const isOther = 'The form does not come from a page of this origin'
  const refuses = {
    403: isOther,
    409: 'A page: the user name or the address is taken',
    422: 'A page: a field is not acceptable, or the terms are not accepted',
  }
  const names = ['username', 'email', 'password', ...profile.names, acceptedName]
  const ofForm = describeBoundForm(names, refuses)
  const codeNames = [idName, 'email', 'code', 'username', 'password']
  const ofCode = describeBoundForm(codeNames, {
    ...refuses,
    403: `A page: the code or the password is wrong. Or: ${isOther}`,
  })

  return [
    pageRoute('GET', '/register', 'Register', {
      handle: (request) => steps.open(request, (reader) => openForm(request, reader, parts, steps)),
    }),
    pageRoute('POST', '/register', 'Submit the form to register', {
      ...ofForm,
      handle: steps.receive((sent) => register(sent, parts, steps)),
    }),
    ...(confirm
      ? [
          pageRoute('GET', '/register/code', 'Enter the code of a registration', {
            handle: (request) => steps.open(request, (reader) => openCode(request, reader, steps)),
          }),
          pageRoute('POST', '/register/code', 'Finish a registration with a code', {
            ...ofCode,
            handle: steps.receive((sent) => finish(sent, confirm, steps)),
          }),
        ]
      : []),
  ]
}

/** Shows the form. A person who waits for a mail finds the name and the address in it. */
function openForm(
  request: HttpRequestWithBody,
  reader: PageReader,
  parts: RegistrationParts,
  { cookies }: LoginSteps,
): HttpAnswer {
  const kept = readKeptRegistration(request, cookies)
  if (!kept || !('id' in kept)) return registerPage(reader, parts)
  const { username, email } = kept
  return registerPage(reader, parts, new Map(Object.entries({ username, email })))
}

/** Asks for the code of the registration that this browser keeps. If none, leads to the form. */
function openCode(
  request: HttpRequestWithBody,
  reader: PageReader,
  { cookies }: LoginSteps,
): HttpAnswer {
  const kept = readKeptRegistration(request, cookies)
  if (!kept || !('id' in kept)) return seeOther(`${reader.brand.base}/register`)
  const { id, email } = kept
  return sentPage(reader, new Map(Object.entries({ [idName]: id, email })))
}

/** Creates the account, and logs in. If the address must be confirmed first, asks for the code. */
async function register(
  sent: SentForm,
  parts: RegistrationParts,
  steps: LoginSteps,
): Promise<HttpAnswer> {
  const { form, reader } = sent
  let begun: BegunRegistration
  try {
    begun = await begin(sent, parts)
  } catch (error) {
    return registerPage(reader, parts, form, refusedRegistration(error, reader))
  }

  if (begun.outcome === 'pending') {
    const [email = '', username = ''] = [form.get('email'), form.get('username')]
    const kept = { id: begun.registrationId, email, username }
    const cookie = registrationCookie(kept, steps.cookies)
    return withCookies(seeOther(`${reader.brand.base}/register/code`), [cookie])
  }

  const answer = await steps.logIn(sent)
  if (begun.mailId === undefined || answer.status !== 303) return answer
  const location = `${reader.brand.base}/account/verification?request_id=${begun.mailId}`
  return { ...answer, headers: { ...answer.headers, location } }
}

async function begin(
  { request, form, reader }: SentForm,
  { register: registration, profile, loginSendsMail }: RegistrationParts,
): Promise<BegunRegistration> {
  const accepted = readAcceptance(form, reader.brand)
  const json = {
    ...profile.read(form),
    username: (form.get('username') ?? '').trim(),
    email: form.get('email') ?? '',
    password: form.get('password') ?? '',
  }
  return registration.begin(withJson(request, json), { accepted, loginSendsMail })
}

/** Turns a registration into an account. Logs in if the form has a password. */
async function finish(
  sent: SentForm,
  confirm: Verifications['confirm'],
  { logIn, cookies }: LoginSteps,
): Promise<HttpAnswer> {
  const { request, form, reader } = sent
  const presented = {
    registrationId: form.get(idName) ?? '',
    code: form.get('code') ?? '',
  }
  const password = form.get('password')
  let name: string | undefined
  try {
    const username = readUsername(form.get('username'))
    const user = await confirm({ presented, password, username }, byStranger(request))
    name = user?.publicUser.username
  } catch (error) {
    return sentPage(reader, form, refusedCode(error, reader))
  }
  if (password !== undefined) return withCookies(await logIn(sent), [cookies.registration.cleared])
  const cookie = registrationCookie({ isDone: true, username: name }, cookies)
  return withCookies(seeOther(`${reader.brand.base}/login`), [cookie])
}

// What the account pages show, and what they pass to the services. The services are functions of
// this test, because the tests of the flows already use the real ones.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError, type HttpAnswer } from 'keystile/internal'
import type { OpenRoute } from '../../../http/route.ts'
import { passwordFaultCodes } from '../../credentials/password-policy/policy.ts'
import { texts } from '../../mail/messages/texts.ts'
import { createPageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import { openPages } from '../brand/page-settings.ts'
import { finishPage, verificationPage } from './confirmation-page.ts'
import { emailChangePage } from './email-change-page.ts'
import { invitationPage } from './invitation-page.ts'
import { linkPageRoutes } from './link-page-routes.ts'
import { readPageForm } from './page-route.ts'
import { resetPageRoutes } from './reset-page.ts'
import { emailUndoPage, factorUndoPage } from './undo-page.ts'

const cookies = createPageCookies('https://auth.example:8443/v1')

interface Asked {
  readonly form?: Readonly<Record<string, string>>
  readonly language?: string
  readonly cookie?: string
}

/** The calls of services, and the error that each call throws. */
interface Stage {
  readonly calls: unknown[]
  error: unknown
  /** The tokens of the links that can still be used. */
  readonly open: Set<string>
}

const settings = {
  issuer: 'https://auth.example:8443/v1',
  mailLanguage: 'en',
  appColor: '#7a1fa2',
} as const
const plainPages = openPages(settings)
const passwordPolicy = { minLength: 15 }
const by = { actor: 'nobody', address: '192.0.2.1', acceptLanguage: 'en' }
const wrongLink = new ProblemError('forbidden', 'x')
const tooMany = new ProblemError('too_many_requests', 'x', { retryAfterSeconds: 7 })
const away = new ProblemError('temporarily_unavailable', 'x')
const invalid = (name: string, msg: string): ProblemError =>
  new ProblemError('unprocessable_content', `${name}: ${msg}`, {
    errors: [{ loc: ['body', name], msg, type: 'value_error' }],
  })

function createStage(
  pages = plainPages,
  remembersDevices = false,
): Stage & { readonly routes: readonly OpenRoute[] } {
  const stage: Stage = { calls: [], error: undefined, open: new Set(['a"b', 't']) }
  const isOpen = async (token: string): Promise<boolean> => stage.open.has(token)
  const note =
    (name: string) =>
    async (...values: readonly unknown[]): Promise<never> => {
      stage.calls.push([name, ...values])
      if (stage.error !== undefined) throw stage.error
      return 'request-1' as never
    }
  const resets = { request: note('request'), confirm: note('confirm'), isOpen }
  const confirming = { confirm: note('confirm'), isOpen, addressOf: async () => undefined }
  const browserLogins = { find: async () => undefined }
  const shared = { pages, cookies, browserLogins }
  const profile = { properties: { age: { type: 'integer' } }, required: ['age'] }
  const forms = [
    verificationPage(confirming),
    finishPage(confirming),
    emailChangePage(confirming),
    emailUndoPage({ undo: note('undo'), isOpen }),
    factorUndoPage({ undo: note('undo factor'), isOpen }, 'password'),
    invitationPage({ accept: note('accept'), isOpen }, passwordPolicy, profile),
  ]
  const routes = [
    ...resetPageRoutes({ ...settings, ...shared, resets, passwordPolicy, remembersDevices }),
    ...forms.flatMap((form) => linkPageRoutes(form, shared)),
  ]
  return Object.assign(stage, { routes })
}

/** Opens a page, or sends its form, and follows a redirect as a browser does. */
async function ask(
  stage: { readonly routes: readonly OpenRoute[] },
  path: string,
  { form, language = 'en', cookie = '' }: Asked = {},
): Promise<HttpAnswer> {
  const method = form ? 'POST' : 'GET'
  const route = stage.routes.find(
    (one) => one.method === method && one.path === `/account/${path.replace(/\?.*/, '')}`,
  )
  assert.ok(route, path)
  const answer = await route.handle({
    method,
    url: `/v1/account/${path}`,
    remoteAddress: '192.0.2.1',
    headers: new Headers({
      'accept-language': language,
      cookie,
      ...(form && { origin: 'https://auth.example:8443' }),
      'content-type': 'application/x-www-form-urlencoded',
    }),
    body: async () => Buffer.from(new URLSearchParams(form).toString()),
    params: {},
  })
  const { location = '' } = answer.headers
  if (answer.status !== 303) return answer
  const [set = ''] = answer.cookies ?? []
  const cookies = set.split(';', 1)[0] ?? ''
  return ask(stage, location.replace('/v1/account/', ''), { language, cookie: cookies })
}

/** Returns the lines of the sheet of a page, without empty ones and what only carries the look. */
function linesOf({ body = '' }: HttpAnswer): readonly string[] {
  const [, main = ''] = /<main class="sheet">([^]*)<\/main>/.exec(body) ?? []
  return main
    .replaceAll(/<\/?(?:div|header)[^>]*>|<svg[^]*?<\/svg>/g, '')
    .replaceAll(/<span class="emblem[^"]*"><\/span>/g, '')
    .replaceAll(/ class="(?:button|soft|code)"/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

const linesAfter = async (...asked: Parameters<typeof ask>): Promise<readonly string[]> =>
  linesOf(await ask(...asked))

const hidden = (name: string, value: string): string =>
  `<input type="hidden" name="${name}" value="${value}">`
const fault = (text: string, name?: string): string =>
  name === undefined
    ? `<p class="note wrong" role="alert"> <span>${text}</span></p>`
    : `<p class="fault" id="${name}-fault" role="alert">${text}</p>`
const continueTo = '<a href="https://auth.example:8443/">Continue to auth.example:8443</a>'
const orContinueTo = continueTo.replace('<a', '<a class="button second"')
const manyTries = 'Too many tries. Try again in 1 minute.'
const notNow = 'This does not work at the moment. Try again in a few seconds.'

describe('the pages for a new password', () => {
  const wrong =
    'The code is wrong, was used before, or has expired. Use the code of the newest mail.'
  const again = '<a href="forgot-password">Request a new mail</a>'
  const checkMail = [
    '<h1>Check your mail</h1>',
    '<p>If there is an account with this name or address, a mail is on its way. ' +
      'Open its link, or enter its code and a new password here.</p>',
  ]
  const noMail = [
    '<details>',
    '<summary>No mail?</summary>',
    '<p>Look for an earlier mail, also in the spam folder: its link works for three hours. ' +
      'If there is none after two minutes, <a href="forgot-password">request a new mail</a>. ' +
      'Check what you type, and try your user name or another address too. ' +
      'If still none comes, try again in six hours.</p>',
    '</details>',
  ]
  const hint =
    '<p class="hint" id="new_password-hint">At least 15 characters. ' +
    'Several words that do not belong together are good.</p>'
  const newPassword = (described = 'new_password-hint', marks = ''): string =>
    '<input id="new_password" name="new_password" required type="password" ' +
    `autocomplete="new-password" aria-describedby="${described}"${marks}>`
  const refusedMarks = ' aria-invalid="true" autofocus'

  it('the forgot-password page asks for a user name or address, then for the code', async () => {
    const stage = createStage()
    const form = [
      '<h1>Forgot your password?</h1>',
      '<p>We will send you a mail with a link and a code to set a new password.</p>',
      '<form method="post" action="forgot-password">',
      '<label for="login">User name or e-mail address</label>',
      '<input id="login" name="login" required autocomplete="username" autocapitalize="none" ' +
        'spellcheck="false" autofocus>',
      '<button>Send the mail</button>',
      '</form>',
    ]
    assert.deepEqual(await linesAfter(stage, 'forgot-password'), form)
    assert.deepEqual(await linesAfter(stage, 'forgot-password', { form: { other: 'x' } }), form)
    assert.deepEqual(stage.calls, [])

    const sent = await linesAfter(stage, 'forgot-password', { form: { login: 'ada' } })
    assert.deepEqual(sent, [
      ...checkMail,
      '<form method="post" action="reset-password">',
      hidden('request_id', 'request-1'),
      '<label for="code">Code from the mail</label>',
      '<p class="hint" id="code-hint">Eight digits.</p>',
      '<input id="code" name="code" required inputmode="numeric" autocomplete="one-time-code" ' +
        'dir="ltr" value="" aria-describedby="code-hint">',
      '<label for="new_password">New password</label>',
      hint,
      newPassword(),
      '<button>Set the password</button>',
      '</form>',
      ...noMail,
    ])
    const wanted = { login: 'ada', language: 'en', deviceSecret: undefined }
    assert.deepEqual(stage.calls, [['request', wanted, by.address]])

    for (const [error, text] of [
      [tooMany, manyTries],
      [away, notNow],
    ] as const) {
      stage.error = error
      const refused = await ask(stage, 'forgot-password', { form: { login: 'ada' } })
      assert.equal(refused.status, error.status)
      assert.equal(refused.headers['retry-after'], error === tooMany ? '7' : undefined)
      assert.ok(linesOf(refused).includes(fault(text, 'login')))
    }
  })

  it('after too many tries, a page says in its language how long to wait', async () => {
    const stage = createStage()
    for (const [retryAfterSeconds, language, text] of [
      [2101, 'en', 'Too many tries. Try again in 36 minutes.'],
      [7201, 'de', 'Zu viele Versuche. Versuchen Sie es in 3 Stunden noch einmal.'],
      [60, 'fr', 'Trop de tentatives. Réessayez dans 1 minute.'],
      [7200, 'es', 'Demasiados intentos. Vuelva a intentarlo dentro de 2 horas.'],
    ] as const) {
      stage.error = new ProblemError('too_many_requests', 'x', { retryAfterSeconds })
      const lines = await linesAfter(stage, 'forgot-password', { form: { login: 'ada' }, language })
      assert.ok(lines.includes(fault(text, 'login')), lines.join('\n'))
    }
  })

  it('after a refusal, the new-password form keeps the token and shows the reason', async () => {
    const stage = createStage()
    const form = [
      '<h1>Set a new password</h1>',
      '<form method="post" action="reset-password">',
      hidden('token', 'a&#34;b'),
      '<label for="new_password">New password</label>',
      hint,
      newPassword(),
      '<button>Set the password</button>',
      '</form>',
    ]
    assert.deepEqual(await linesAfter(stage, 'reset-password?token=a%22b'), form)
    for (const path of ['reset-password', 'reset-password?token='])
      assert.deepEqual(await linesAfter(stage, path), [
        '<h1>Set a new password</h1>',
        '<p>This link is not complete. Open the whole link in the mail, or request a new mail.</p>',
        again,
        orContinueTo,
      ])

    const typed = { token: 'a"b', new_password: 'short' }
    const refused = (text: string): readonly string[] => [
      ...form.slice(0, 4),
      fault(text, 'new_password'),
      hint,
      newPassword('new_password-fault new_password-hint', refusedMarks),
      ...form.slice(6),
      again,
    ]
    stage.error = invalid('new_password', 'Password should not be x')
    const rule = '<span lang="en">Password should not be x.</span>'
    assert.deepEqual(await linesAfter(stage, 'reset-password', { form: typed }), refused(rule))
    assert.deepEqual(stage.calls, [['confirm', { token: 'a"b' }, 'short', by]])

    const tooShort = {
      msg: 'Password should have at least 15 characters',
      type: 'password_too_short',
    }
    const errors = [{ loc: ['body', 'new_password'], ...tooShort }]
    stage.error = new ProblemError('unprocessable_content', 'x', { errors })
    const lines = await linesAfter(stage, 'reset-password', { form: typed })
    assert.deepEqual(lines.slice(4, 6), [
      fault(`<span lang="en">${tooShort.msg}.</span>`, 'new_password'),
      '<p class="hint" id="new_password-hint">Several words that do not belong together are good.</p>',
    ])

    stage.error = new TypeError('a bug')
    await assert.rejects(ask(stage, 'reset-password', { form: typed }), /a bug/)

    stage.error = undefined
    assert.deepEqual(await linesAfter(stage, 'reset-password', { form: {} }), [
      '<h1>Your password is set</h1>',
      '<p>You are logged out on all devices. Log in with the new password.</p>',
      continueTo,
    ])
    assert.deepEqual(stage.calls.at(-1), ['confirm', { token: '' }, '', by])
  })

  it('after a wrong reset code, the page shows the form again, with the typed code', async () => {
    const stage = createStage()
    const typed = { request_id: 'r"', code: '1"' }
    stage.error = wrongLink
    const lines = await linesAfter(stage, 'reset-password', { form: typed })
    assert.deepEqual(lines, [
      ...checkMail,
      '<form method="post" action="reset-password">',
      hidden('request_id', 'r&#34;'),
      '<label for="code">Code from the mail</label>',
      fault(wrong, 'code'),
      '<p class="hint" id="code-hint">Eight digits.</p>',
      '<input id="code" name="code" required inputmode="numeric" autocomplete="one-time-code" ' +
        `dir="ltr" value="1&#34;" aria-describedby="code-fault code-hint"${refusedMarks}>`,
      '<label for="new_password">New password</label>',
      hint,
      newPassword(),
      '<button>Set the password</button>',
      '</form>',
      ...noMail,
    ])
    stage.error = invalid('new_password', 'Password should be x')
    const german = await linesAfter(stage, 'reset-password', { form: typed, language: 'de' })
    const rule = '<span lang="en">Password should be x.</span>'
    assert.ok(german.includes(fault(`Wählen Sie ein anderes Passwort. ${rule}`, 'new_password')))

    for (const type of passwordFaultCodes) {
      const errors = [{ loc: ['body', 'new_password'], msg: 'x', type }]
      stage.error = new ProblemError('unprocessable_content', 'x', { errors })
      for (const language of ['de', 'fr', 'es'] as const) {
        const lines = await linesAfter(stage, 'reset-password', { form: typed, language })
        const { passwordFaults, newPasswordLength } = texts[language].pages
        assert.ok(lines.includes(fault(passwordFaults?.[type] ?? '', 'new_password')))
        assert.ok(lines.some((line) => line.includes(newPasswordLength(15))))
      }
    }
    assert.ok(!german.some((line) => line.includes('code-fault')))

    stage.error = undefined
    await ask(stage, 'reset-password', { form: { request_id: 'r' } })
    assert.deepEqual(stage.calls.at(-1), ['confirm', { requestId: 'r', code: '' }, '', by])
  })
})

describe('where the pages for links in mails lead', () => {
  const app = '<a href="https://app.example/">Continue to app.example</a>'
  const own = {
    login: '<a href="/v1/login">Log in</a>',
    account: '<a href="/v1/account">Back to your account</a>',
    password: '<a href="/v1/account/forgot-password">Request a new mail</a>',
  }
  const setPassword = '<a href="/v1/account/forgot-password">Set a new password</a>'
  const second = (button: string): string => button.replace('<a', '<a class="button second"')
  const ends: Readonly<Record<string, keyof typeof own>> = {
    'reset-password': 'login',
    'verify-email': 'account',
    'finish-registration': 'login',
    'confirm-email-change': 'account',
    'undo-email-change': 'password',
    'undo-factor': 'password',
    'accept-invitation': 'login',
  }
  const appUrl = 'https://app.example/'
  for (const [path, end] of Object.entries(ends))
    it(`/account/${path} ends with a button to the app and one to the ${end}, in the right order`, async () => {
      // The text after a new password tells the person to log in.
      const isOwnFirst = end === 'password' || path === 'reset-password'
      for (const [options, buttons] of [
        [{ loginPages: 'on' }, [own[end]]],
        [
          { loginPages: 'on', appUrl },
          isOwnFirst ? [own[end], second(app)] : [app, second(own[end])],
        ],
        [{ appUrl }, end === 'password' ? [own[end], second(app)] : [app]],
        [{}, end === 'password' ? [own[end]] : [continueTo]],
      ] as const) {
        const stage = createStage(openPages({ ...settings, ...options }))
        const done = await linesAfter(stage, path, { form: { token: 't' } })
        assert.deepEqual(done.slice(2), buttons)

        stage.error = wrongLink
        const used = await linesAfter(stage, `${path}?token=used`)
        const again = '<a href="forgot-password">Request a new mail</a>'
        const renamed = buttons.map((b) => (b === own.password ? setPassword : b))
        const expected = path === 'reset-password' ? [again, second(buttons[0])] : renamed
        assert.deepEqual(used.slice(2), expected)
      }
    })

  it('a form that has not been sent leads back to the login, or else to the app', async () => {
    const back = '<a href="/v1/login">Back to log in</a>'
    for (const [options, link] of [
      [{ loginPages: 'on', appUrl }, back],
      [{ loginPages: 'on' }, back],
      [{ appUrl }, app],
      [{}, '</form>'],
    ] as const)
      for (const path of [
        'forgot-password',
        ...Object.keys(ends).map((name) => `${name}?token=t`),
      ]) {
        const stage = createStage(openPages({ ...settings, ...options }))
        assert.ok((await linesAfter(stage, path)).at(-1)?.endsWith(link), path)
      }
  })
})

describe('what was done on a page for a link', () => {
  const withLogin = openPages({ ...settings, loginPages: 'on' })

  it('has an address that Back and Reload can open, without the token', async () => {
    const stage = createStage(withLogin)
    const post = stage.routes.find(
      ({ method, path }) => method === 'POST' && path === '/account/verify-email',
    )
    const answer = await post?.handle({
      method: 'POST',
      url: '/v1/account/verify-email',
      headers: new Headers({ 'content-type': 'application/x-www-form-urlencoded' }),
      body: async () => Buffer.from('token=t&password=p'),
      params: {},
    })
    assert.equal(answer?.headers['location'], '/v1/account/verify-email?done')
    const [cookie = ''] = answer?.cookies?.map((set) => set.split(';', 1)[0] ?? '') ?? []
    for (let opened = 0; opened < 2; opened++)
      assert.equal(
        (await linesAfter(stage, 'verify-email?done', { cookie }))[0],
        '<h1>Your address is confirmed</h1>',
      )
    // The cookie of one page proves nothing on another one.
    const other = await linesAfter(stage, 'reset-password?done', { cookie })
    assert.equal(other[0], '<h1>This link does not work any more</h1>')
  })

  it('is not said to a browser that opens the address without the cookie', async () => {
    const answer = await ask(createStage(withLogin), 'reset-password?done')
    assert.equal(answer.status, 403)
    assert.match(answer.body ?? '', /If you have set your new password with it, log in/)
  })

  it('after a new password, devices that asked for no code will ask, if there can be some', async () => {
    for (const remembersDevices of [true, false]) {
      const stage = createStage(withLogin, remembersDevices)
      const lines = await linesAfter(stage, 'reset-password', { form: { token: 't' } })
      const asks = 'If your account has an authenticator app, each device asks for a code again.'
      assert.equal(lines[1]?.includes(asks), remembersDevices)
    }
  })
})

describe('a link that was used or has expired', () => {
  const toPassword = '<a href="/v1/account/forgot-password">Set a new password</a>'
  const nextSteps: Readonly<Record<string, RegExp>> = {
    'reset-password': /If you have set your new password with it, log in\. .* request a new mail/,
    'verify-email': /If you have confirmed your address with it, .* ask for a new mail in the app/,
    'finish-registration': /If you have created your account with it, log in\. .* register again/,
    'confirm-email-change': /If you have confirmed your address with it, .* change the address/,
    'undo-email-change': /If you have undone the change with it, look into your mailbox/,
    'undo-factor': /if the app was not yours, open the link of the newest mail/,
    'accept-invitation': /If you have created your account with it, log in\. .* new invitation/,
  }
  for (const [path, next] of Object.entries(nextSteps))
    it(`/account/${path} says at once, and after the form, that a link does not work`, async () => {
      const stage = createStage()
      stage.error = wrongLink
      const form = { token: 'used', password: 'p', new_password: 'p', username: 'ada' }
      for (const asked of [
        await ask(stage, `${path}?token=used`),
        await ask(stage, path, { form }),
      ]) {
        assert.equal(asked.status, 403)
        const [heading, text = '', ...others] = linesOf(asked)
        assert.equal(heading, '<h1>This link does not work any more</h1>')
        assert.match(text, /^<p>A link from a mail works once, and only for some time\. /)
        assert.match(text, next)
        const ends: Readonly<Record<string, readonly string[]>> = {
          'reset-password': ['<a href="forgot-password">Request a new mail</a>', orContinueTo],
          'undo-email-change': [toPassword],
          'undo-factor': [toPassword],
        }
        assert.deepEqual(others, ends[path] ?? [continueTo])
      }
      assert.equal(stage.calls.length, 1, 'opening the link calls no service that changes data')
    })

  it('the page for a link that does not work exists in four languages', async () => {
    const shown = []
    for (const language of ['en', 'de', 'fr', 'es'])
      for (const path of Object.keys(nextSteps))
        shown.push(...(await linesAfter(createStage(), `${path}?token=used`, { language })))
    assert.equal(new Set(shown).size, 4 * (1 + Object.keys(nextSteps).length + 4))
  })
})

describe('the pages that confirm an address', () => {
  const passwordLines = (error?: string): readonly string[] => [
    '<label for="password">Password</label>',
    ...(error === undefined ? [] : [fault(error, 'password')]),
    '<input id="password" name="password" required type="password" ' +
      `autocomplete="current-password"${
        error === undefined
          ? ''
          : ' aria-describedby="password-fault" aria-invalid="true" autofocus'
      }>`,
  ]
  const heading = '<h1>Finish your registration</h1>'
  const intro =
    '<p>Enter the password that you chose when you registered. If you did not register, ' +
    'close this page: then no account is created.</p>'
  const opening = (token: string): readonly string[] => [
    '<form method="post" action="finish-registration">',
    hidden('token', token),
  ]
  const closing = ['<button>Create the account</button>', '</form>']
  const usernameLines = (
    value: string,
    extra: string,
    described: string,
    marks = '',
  ): readonly string[] => [
    '<label for="username">Another user name</label>',
    extra,
    '<input id="username" name="username" required autocomplete="username" ' +
      `autocapitalize="none" spellcheck="false" value="${value}" aria-describedby="${described}"${marks}>`,
  ]
  const refusedMarks = ' aria-invalid="true" autofocus'
  const hint =
    '2 to 63 letters, digits, dots, underscores or hyphens, no spaces, ' +
    'with a letter or digit first.'

  it('the finish-registration page asks for the password and keeps the token', async () => {
    const stage = createStage()
    const form = [heading, intro, ...opening('a&#34;b'), ...passwordLines(), ...closing]
    assert.deepEqual(await linesAfter(stage, 'finish-registration?token=a%22b'), form)
    for (const path of ['finish-registration', 'finish-registration?token='])
      assert.deepEqual(await linesAfter(stage, path), [
        heading,
        '<p>This link is not complete. Open the whole link in the mail.</p>',
        continueTo,
      ])
    assert.deepEqual(await linesAfter(stage, 'finish-registration', { form: {} }), [
      '<h1>Your account is ready</h1>',
      '<p>You can log in now.</p>',
      continueTo,
    ])
    const typed = { token: 't', password: 'p', username: 'Ada' }
    await ask(stage, 'finish-registration', { form: typed })
    const presented = { token: 't' }
    assert.deepEqual(stage.calls, [
      ['confirm', { presented: { token: '' }, password: '', username: undefined }, by],
      ['confirm', { presented, password: 'p', username: { shown: 'Ada', key: 'ada' } }, by],
    ])
    // The name of an account does not change when its address is verified.
    const verified = await linesAfter(stage, 'verify-email', { form: typed })
    assert.equal(verified[0], '<h1>Your address is confirmed</h1>')
    assert.deepEqual(stage.calls.at(-1), [
      'confirm',
      { presented, password: 'p', username: undefined },
      by,
    ])
  })

  it('the finish-registration page shows an error at the field that caused the error', async () => {
    const stage = createStage()
    const at = (field: string): { readonly errors: ProblemError['errors'] & object } => ({
      errors: [{ loc: ['body', field], msg: 'x', type: 'x' }],
    })
    const general = (text: string): readonly string[] => [
      heading,
      intro,
      fault(text),
      ...opening('t'),
      ...passwordLines(),
      ...closing,
    ]
    const ofName = (text: string, value = ''): readonly string[] => [
      heading,
      intro,
      ...opening('t'),
      ...usernameLines(value, fault(text, 'username'), 'username-fault', refusedMarks),
      ...passwordLines(),
      ...closing,
    ]
    for (const [error, expected] of [
      [tooMany, general(manyTries)],
      [away, general(notNow)],
      [
        new ProblemError('conflict', 'x', at('email')),
        general('There is an account with this address now. Log in, or request a new password.'),
      ],
      [
        new ProblemError('conflict', 'x', at('username')),
        ofName('This user name is not available any more. Choose another one.'),
      ],
      [invalid('password', 'Password should not be x'), ofName(hint)],
      [
        new ProblemError('forbidden', 'x', at('password')),
        [
          heading,
          intro,
          ...opening('t'),
          ...passwordLines(
            'The password is wrong. If you do not know it any more, register again.',
          ),
          ...closing,
        ],
      ],
    ] as const) {
      stage.error = error
      const answer = await ask(stage, 'finish-registration', { form: { token: 't' } })
      assert.deepEqual(linesOf(answer), expected)
      assert.equal(answer.status, error.status)
      assert.equal(answer.headers['retry-after'], error === tooMany ? '7' : undefined)
    }

    stage.error = away
    const named = { token: 't', username: 'ada' }
    assert.deepEqual(await linesAfter(stage, 'finish-registration', { form: named }), [
      heading,
      intro,
      fault(notNow),
      ...opening('t'),
      ...usernameLines('ada', `<p class="hint" id="username-hint">${hint}</p>`, 'username-hint'),
      ...passwordLines(),
      ...closing,
    ])
    const calls = stage.calls.length
    const odd = { token: 't', username: '"' }
    const answer = await ask(stage, 'finish-registration', { form: odd })
    assert.equal(answer.status, 422)
    assert.deepEqual(linesOf(answer), ofName(hint, '&#34;'))
    assert.equal(stage.calls.length, calls)

    stage.error = new TypeError('a bug')
    await assert.rejects(ask(stage, 'verify-email', { form: { token: 't' } }), /a bug/)
  })
})

describe('the pages for a new address and for an invitation', () => {
  const ageLines = (value: string): readonly string[] => [
    '<label for="age">age</label>',
    `<input id="age" name="age" required type="number" step="any" value="${value}">`,
  ]
  const invitation = (token: string, username: string, age: string): readonly string[] => [
    '<h1>Create your account</h1>',
    '<p>Choose the name and the password with which you will log in.</p>',
    '<form method="post" action="accept-invitation">',
    hidden('token', token),
    '<label for="username">User name</label>',
    '<p class="hint" id="username-hint">2 to 63 letters, digits, dots, underscores or hyphens, ' +
      'no spaces, with a letter or digit first.</p>',
    '<input id="username" name="username" required autocomplete="username" ' +
      `autocapitalize="none" spellcheck="false" value="${username}" ` +
      'aria-describedby="username-hint">',
    '<label for="password">Password</label>',
    '<p class="hint" id="password-hint">At least 15 characters. ' +
      'Several words that do not belong together are good.</p>',
    '<input id="password" name="password" required type="password" autocomplete="new-password" ' +
      'aria-describedby="password-hint">',
    ...ageLines(age),
    '<button>Create the account</button>',
    '</form>',
  ]
  const confirmation = (token: string): readonly string[] => [
    '<h1>Confirm your new address</h1>',
    '<p>Enter the password of your account. If you did not change an address, ' +
      'close this page: then nothing changes.</p>',
    '<form method="post" action="confirm-email-change">',
    hidden('token', token),
    '<label for="password">Password</label>',
    '<input id="password" name="password" required type="password" ' +
      'autocomplete="current-password">',
    '<button>Confirm the address</button>',
    '</form>',
  ]

  it('the page behind a mailed link shows a form with the token, and changes no data', async () => {
    const stage = createStage()
    assert.deepEqual(
      await linesAfter(stage, 'accept-invitation?token=a%22b'),
      invitation('a&#34;b', '', ''),
    )
    assert.deepEqual(await linesAfter(stage, 'confirm-email-change?token=t'), confirmation('t'))
    assert.deepEqual(await linesAfter(stage, 'undo-email-change?token=t'), [
      '<h1>Undo the change of your address</h1>',
      '<p>Your account will get its old address back. All devices will be logged out, and you ' +
        'will get a mail to set a new password. An authenticator app that was added since the ' +
        'change, or that is the first one of the account and less than a week old, will be ' +
        'removed. Recovery codes that were made in the week before the change or later will be ' +
        'removed too: then make new ones.</p>',
      '<form method="post" action="undo-email-change">',
      hidden('token', 't'),
      '<button>Undo the change</button>',
      '</form>',
    ])
    assert.deepEqual(await linesAfter(stage, 'undo-factor?token=t'), [
      '<h1>Remove the authenticator app</h1>',
      '<p>The authenticator app will be removed from your account. All devices will be logged ' +
        'out, and you will get a mail to set a new password.</p>',
      '<form method="post" action="undo-factor">',
      hidden('token', 't'),
      '<button>Remove the app</button>',
      '</form>',
    ])
    for (const path of ['accept-invitation', 'accept-invitation?token='])
      assert.deepEqual(await linesAfter(stage, path), [
        '<h1>Create your account</h1>',
        '<p>This link is not complete. Open the whole link in the mail.</p>',
        continueTo,
      ])
    assert.deepEqual(stage.calls, [])
  })

  it('each page of a mailed link passes token and form fields to the right service', async () => {
    const stage = createStage()
    const form = { token: 't', password: 'p', username: 'ada', age: '36', other: 'x' }
    for (const [path, heading] of [
      ['confirm-email-change', 'Your address is changed'],
      ['undo-email-change', 'Your old address is back'],
      ['undo-factor', 'The app is removed'],
      ['accept-invitation', 'Your account is ready'],
    ] as const) {
      const [shown, text] = await linesAfter(stage, path, { form })
      assert.equal(shown, `<h1>${heading}</h1>`)
      assert.match(text ?? '', /^<p>.+<\/p>$/)
      await ask(stage, path, { form: {} })
    }
    assert.deepEqual(stage.calls, [
      ['confirm', { token: 't' }, { subject: undefined, password: 'p' }, by],
      ['confirm', { token: '' }, { subject: undefined, password: undefined }, by],
      ['undo', 't', by],
      ['undo', '', by],
      ['undo factor', 't', by],
      ['undo factor', '', by],
      ['accept', { token: 't' }, { age: 36, username: 'ada', password: 'p' }, by, undefined],
      ['accept', { token: '' }, {}, by, undefined],
    ])
  })

  it('a refused account form shows the reason and keeps all input but the password', async () => {
    const stage = createStage()
    const form = { token: 't', username: 'a"', password: 'p', age: 'x' }
    const filled = invitation('t', 'a&#34;', 'x')
    const general = (text: string): readonly string[] => [
      ...filled.slice(0, 2),
      fault(text),
      ...filled.slice(2),
    ]
    const rule = '<span lang="en">Input should be x.</span>'
    for (const [error, expected] of [
      [tooMany, general(manyTries)],
      [away, general(notNow)],
      [
        new ProblemError('conflict', 'x'),
        general('This user name or your address is already taken.'),
      ],
      [new ProblemError('unprocessable_content', 'Input should be x'), general(rule)],
      [invalid('other', 'Input should be x'), general(rule)],
      [
        invalid('age', 'Input should be x'),
        [
          ...filled.slice(0, -4),
          '<label for="age">age</label>',
          fault(rule, 'age'),
          '<input id="age" name="age" required type="number" step="any" value="x" ' +
            'aria-describedby="age-fault" aria-invalid="true" autofocus>',
          ...filled.slice(-2),
        ],
      ],
    ] as const) {
      stage.error = error
      const answer = await ask(stage, 'accept-invitation', { form })
      assert.deepEqual(linesOf(answer), expected)
      assert.equal(answer.status, error.status)
      assert.equal(answer.headers['retry-after'], error === tooMany ? '7' : undefined)
    }
    stage.error = invalid('username', 'Input should be x')
    const german = await linesAfter(stage, 'accept-invitation', { form, language: 'de' })
    assert.ok(german.includes(fault(`Das geht so nicht. ${rule}`, 'username')), german.join('\n'))

    // The link can still be used, so it is not at fault.
    const text = 'The password is wrong, or the address is not free any more.'
    stage.error = wrongLink
    const wrong = await ask(stage, 'confirm-email-change', { form: { token: 't', password: 'p' } })
    assert.equal(wrong.status, 403)
    const marks = ' aria-describedby="password-fault" aria-invalid="true" autofocus>'
    assert.deepEqual(
      linesOf(wrong),
      confirmation('t').flatMap((line) => {
        if (!line.startsWith('<input id="password"')) return line
        return [fault(text, 'password'), line.replace(/>$/, marks)]
      }),
    )
    stage.error = new TypeError('a bug')
    await assert.rejects(ask(stage, 'undo-email-change', { form }), /a bug/)
  })
})

describe('the descriptions of the account pages', () => {
  it('the OpenAPI document has the query, the form and the refusals of each page', () => {
    const described = createStage().routes.map(({ method, path, below, refusals, doc }) => {
      assert.deepEqual([below, refusals, doc.tag], ['issuer', 'problem', 'Own account'])
      assert.deepEqual(doc.success, { status: 200, description: 'A page', type: 'text/html' })
      const text = { type: 'string' }
      assert.deepEqual(
        doc.query,
        path.endsWith('/forgot-password') || method === 'POST'
          ? undefined
          : { token: text, ...(path.endsWith('/reset-password') && { request_id: text }) },
      )
      if (method === 'GET') assert.equal(doc.body, undefined)
      const names = Object.keys(doc.body?.schema['properties'] ?? {})
      const properties = Object.fromEntries(names.map((name) => [name, text]))
      if (doc.body)
        assert.deepEqual(doc.body, { type: 'form', schema: { type: 'object', properties } })
      return [
        method,
        path.replace('/account/', ''),
        names.join(' '),
        Object.keys(doc.refuses ?? {}).join(' '),
      ]
    })
    assert.deepEqual(described, [
      ['GET', 'forgot-password', '', ''],
      ['POST', 'forgot-password', 'login', '403 422 429'],
      ['GET', 'reset-password', '', '403'],
      ['POST', 'reset-password', 'token request_id code new_password', '403 422 429'],
      ['GET', 'verify-email', '', '403'],
      ['POST', 'verify-email', 'token password', '403 422 429'],
      ['GET', 'finish-registration', '', '403'],
      ['POST', 'finish-registration', 'token password username', '403 409 422 429'],
      ['GET', 'confirm-email-change', '', '403'],
      ['POST', 'confirm-email-change', 'token password', '403 422 429'],
      ['GET', 'undo-email-change', '', '403'],
      ['POST', 'undo-email-change', 'token', '403 422 429'],
      ['GET', 'undo-factor', '', '403'],
      ['POST', 'undo-factor', 'token', '403 422 429'],
      ['GET', 'accept-invitation', '', '403'],
      ['POST', 'accept-invitation', 'token username password age accepted_urls', '403 409 422 429'],
    ])
    const summaries = createStage().routes.map(({ doc }) => doc.summary)
    for (const summary of [
      'Page: Confirm a registration',
      'Page: Submit the form to confirm a registration',
      'Page: Submit the form to confirm a new e-mail address',
    ])
      assert.ok(summaries.includes(summary), summary)
  })

  it('readPageForm throws bad_request for JSON, and rethrows content_too_large', async () => {
    const read = (headers: Headers, body: () => Promise<Uint8Array>): Promise<unknown> =>
      readPageForm({ method: 'POST', url: '/', headers, body })
    await assert.rejects(
      read(new Headers({ 'content-type': 'application/json' }), async () => new Uint8Array()),
      (error) => error instanceof ProblemError && error.code === 'bad_request',
    )
    const tooLarge = new ProblemError('content_too_large', 'x')
    const form = new Headers({ 'content-type': 'application/x-www-form-urlencoded' })
    await assert.rejects(
      read(form, () => Promise.reject(tooLarge)),
      tooLarge,
    )
  })
})

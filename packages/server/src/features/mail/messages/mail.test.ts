// The transports: an SMTP server with and without TLS, the app's own function, and the page for
// development.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { silentLogger, type HttpAnswer } from 'keystile/internal'
import { until } from '../../../../../../tools/until.ts'
import { describeOnBoth, issuer, type TestKeystile } from '../../../../test-support/keystile.ts'
import { startMailServer, type MailServer } from '../../../../test-support/mail-server.ts'
import type { OpenRoute, RouteRequest } from '../../../http/route.ts'
import { createBrand } from '../../../pages/brand.ts'
import { createConsoleMail } from './console.ts'
import { parseMailUrl } from './mail-url.ts'
import type { MailMessage } from './message.ts'
import { createSmtp } from './smtp.ts'

const message: MailMessage = {
  from: 'Example <no-reply@example.com>',
  to: 'ada@example.com',
  subject: 'Grüße',
  text: 'text',
  html: '<p>html</p>',
  messageId: '<1@example.com>',
  date: new Date(0),
  headers: { 'Auto-Submitted': 'auto-generated' },
}

describe('the SMTP transport', () => {
  let server: MailServer | undefined
  afterEach(() => server?.close())
  const send = async (url: string): Promise<void> => {
    const parsed = parseMailUrl(url)
    assert.ok(parsed.kind === 'smtp')
    const transport = await createSmtp(parsed)
    try {
      await transport.send(message, AbortSignal.timeout(10_000))
    } finally {
      transport.close()
    }
  }

  it('the SMTP transport uses STARTTLS and logs in, even to a server on this machine', async () => {
    server = await startMailServer({ authOptional: false })
    await send(`smtp://app:secret@127.0.0.1:${server.port}`)
    const [mail] = server.mails
    assert.deepEqual([mail?.isEncrypted, mail?.user], [true, 'app'])
    assert.equal(mail?.parsed.subject, 'Grüße')
    assert.equal(mail?.parsed.messageId, '<1@example.com>')
  })

  it('the SMTP transport starts with TLS if the URL begins with smtps:', async () => {
    server = await startMailServer({ secure: true, authOptional: false })
    await send(`smtps://app:secret@localhost:${server.port}`)
    assert.equal(server.mails[0]?.isEncrypted, true)
  })

  it('the SMTP transport rejects a wrong password with the code EAUTH', async () => {
    server = await startMailServer({ authOptional: false })
    const { port } = server
    await assert.rejects(send(`smtp://app:wrong@127.0.0.1:${port}`), { code: 'EAUTH' })
    assert.equal(server.tries, 0)
  })

  // 0.0.0.0 reaches this machine, but is not a name of it: like a mail server elsewhere.
  it('without TLS, the SMTP transport sends no mail or password to another machine', async () => {
    const commands: string[] = []
    server = await startMailServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => {
        commands.push(auth.method)
        done(null, { user: 'app' })
      },
    })
    const { port } = server
    await assert.rejects(send(`smtp://app:secret@0.0.0.0:${port}`), { code: 'ETLS' })
    assert.deepEqual([commands, server.tries], [[], 0])
  })

  it('if another machine has a bad certificate, the SMTP transport sends nothing', async () => {
    server = await startMailServer()
    const { port } = server
    await assert.rejects(send(`smtp://app:secret@0.0.0.0:${port}`), /certificate/)
    assert.equal(server.tries, 0)
  })

  it('with ?tls=off, the SMTP transport sends to another machine without TLS', async () => {
    server = await startMailServer({ disabledCommands: ['STARTTLS'] })
    await send(`smtp://0.0.0.0:${server.port}?tls=off`)
    assert.equal(server.mails[0]?.isEncrypted, false)
  })

  it('the SMTP transport keeps one connection for all mails until close() is called', async () => {
    let connections = 0
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    server = await startMailServer({
      onConnect(_session, done) {
        connections++
        done()
      },
      onClose: () => resolve(),
    })
    const parsed = parseMailUrl(server.url)
    assert.ok(parsed.kind === 'smtp')
    const transport = await createSmtp(parsed)
    const { signal } = new AbortController()
    for (let n = 0; n < 2; n++) await transport.send(message, signal)
    assert.deepEqual([connections, server.tries], [1, 2])

    // A template must not be able to send a file of this machine, or to call a URL.
    for (const html of [{ path: import.meta.filename }, { href: 'http://127.0.0.1:1/' }])
      await assert.rejects(transport.send({ ...message, html: html as never }, signal), /rejected/)
    transport.close()
    await closed
  })

  it('close() of the SMTP transport interrupts a mail that is being sent', async () => {
    const { promise: connected, resolve } = Promise.withResolvers<void>()
    server = await startMailServer({ onConnect: () => resolve() })
    const parsed = parseMailUrl(server.url)
    assert.ok(parsed.kind === 'smtp')
    const transport = await createSmtp(parsed)
    const sending = transport.send(message, new AbortController().signal)
    const rejected = assert.rejects(sending)
    await connected
    transport.close()
    await rejected
  })

  it('if the AbortSignal of a mail is aborted, the SMTP transport rejects at once', async () => {
    server = await startMailServer({ onConnect: () => {} })
    const parsed = parseMailUrl(server.url)
    assert.ok(parsed.kind === 'smtp')
    const transport = await createSmtp(parsed)
    const controller = new AbortController()
    const sending = transport.send(message, controller.signal)
    controller.abort()
    await assert.rejects(sending)
    transport.close()
  })
})

/** A request for the page, from this machine, to a host. */
const asked = (host: string, headers: Readonly<Record<string, string>> = {}): RouteRequest => ({
  method: 'GET',
  url: '/dev/mail',
  headers: new Headers({ host, ...headers }),
  remoteAddress: '127.0.0.1',
  params: {},
  body: () => assert.fail('no body is read'),
})

const brand = createBrand({ issuer, appColor: '#7a1fa2' })

/** Returns the page with all mails, and the page with one. */
function listOf([list, one]: readonly OpenRoute[]): readonly [list: OpenRoute, one: OpenRoute] {
  assert.ok(list && one)
  return [list, one]
}

describe('the page for development', () => {
  it('the page /dev/mail shows the latest 50 mails, the newest first', async () => {
    const told: unknown[] = []
    const info = (fields: object): void => void told.push(fields)
    const { send, close, routes } = createConsoleMail({
      brand,
      logger: { ...silentLogger, info },
    })
    const [route] = listOf(routes)
    const { signal } = new AbortController()
    for (let n = 1; n <= 51; n++)
      await send({ ...message, subject: `<${n}>`, text: 'a & b', messageId: `${n}` }, signal)
    close()
    const { body } = await route.handle(asked('localhost:3000'))
    const shown = Array.from(String(body).matchAll(/<h2>&#60;(\d+)&#62;<\/h2>/g), ([, n]) =>
      Number(n),
    )
    assert.deepEqual(
      shown,
      Array.from({ length: 50 }, (_, n) => 51 - n),
    )
    assert.equal(String(body).match(/<pre>a &#38; b<\/pre>/g)?.length, 50)
    assert.equal(String(body).split('</article>\n<article class="part">').length, 50)
    assert.match(String(body), /<a class="name" href="\/auth\/"><svg[^]*>Keystile<\/a>/)
    assert.match(String(body), />To ada@example\.com<br><time>1970-01-01 00:00:00Z<\/time></)
    assert.deepEqual(told[0], { messageId: '1' })
  })

  it('/dev/mail makes links of http URLs alone, and escapes them', async () => {
    const { send, routes } = createConsoleMail({ brand, logger: silentLogger })
    const [route] = listOf(routes)
    const text =
      'Open https://a.example/?b=1&c=2. Not javascript:alert(1) or "https://d.example"<b>'
    await send({ ...message, text }, new AbortController().signal)
    const { body } = await route.handle(asked('localhost'))
    const [, shown] = /<pre>(.*)<\/pre>/.exec(String(body)) ?? []
    assert.equal(
      shown,
      'Open <a href="https://a.example/?b=1&#38;c=2">https://a.example/?b=1&#38;c=2</a>. ' +
        'Not javascript:alert(1) or &#34;<a href="https://d.example">https://d.example</a>' +
        '&#34;&#60;b&#62;',
    )
  })

  it('/dev/mail leads to the HTML of each mail and to its link, if it has one', async () => {
    const { send, routes } = createConsoleMail({ brand, logger: silentLogger })
    const [list, one] = listOf(routes)
    const { signal } = new AbortController()
    const html = '<script>1</script><img src="cid:logo@x">'
    const content = { content: 'AA==', encoding: 'base64', contentDisposition: 'inline' } as const
    const logo = { filename: 'logo.png', contentType: 'image/png', cid: 'logo@x', ...content }
    await send({ ...message, html, attachments: [logo] }, signal)
    await send({ ...message, text: 'Open:\n\nhttps://a.example/?t=1&u\n\nor wait' }, signal)
    const { body } = await list.handle(asked('localhost'))
    assert.deepEqual(String(body).match(/class="button[^>]*>[^<]*/g), [
      'class="button slim" href="https://a.example/?t=1&#38;u">Open its link',
      'class="button second slim" href="/auth/dev/mail/2">See the mail',
      'class="button second slim" href="/auth/dev/mail/1">See the mail',
    ])

    const open = async (id: string): Promise<HttpAnswer> =>
      one.handle({ ...asked('localhost'), params: { id } })
    const shown = await open('1')
    assert.equal(shown.body, '<script>1</script><img src="data:image/png;base64,AA==">')
    assert.match(
      shown.headers['content-security-policy'] ?? '',
      /^sandbox; default-src 'none'; .*frame-ancestors 'none'/,
    )
    assert.equal(shown.headers['cache-control'], 'no-store')
    assert.equal(shown.headers['referrer-policy'], 'no-referrer')
    assert.deepEqual((await open('3')).headers['location'], '/auth/dev/mail')
    assert.throws(() => one.handle(asked('evil.example')), { code: 'forbidden' })
  })

  it('/dev/mail refuses requests whose Host is not a name of this machine (DNS rebinding)', () => {
    const [route] = listOf(createConsoleMail({ brand, logger: silentLogger }).routes)
    const open = (host: string) => route.handle(asked(host))
    for (const host of ['localhost', 'LOCALHOST:3000', '127.0.0.1:3000', '[::1]:3000'])
      assert.equal((open(host) as HttpAnswer).status, 200, host)
    for (const host of [
      'evil.example',
      'evil.example:3000',
      'localhost.evil.example',
      '',
      'a b',
      'x@localhost',
      'localhost/evil',
      'localhost:3000?x',
      'localhost:x',
      'localhost, evil.example',
    ])
      assert.throws(() => open(host), { code: 'forbidden', message: /localhost/ }, host)
  })

  it('/dev/mail refuses requests that do not come directly from this machine', () => {
    const [route] = listOf(createConsoleMail({ brand, logger: silentLogger }).routes)
    const open = (remoteAddress: string | undefined, headers = {}) =>
      route.handle({ ...asked('localhost', headers), remoteAddress })
    for (const address of ['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1'])
      assert.equal((open(address) as HttpAnswer).status, 200, address)
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', 'fe80::1%eth0', '', undefined])
      assert.throws(() => open(address), { code: 'forbidden' }, address)
    for (const name of ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP'])
      assert.throws(() => open('127.0.0.1', { [name]: '127.0.0.1' }), { code: 'forbidden' }, name)
  })

  it('/dev/mail takes the host from the URL of a request without the header Host', () => {
    const [route] = listOf(createConsoleMail({ brand, logger: silentLogger }).routes)
    const open = (url: string) => route.handle({ ...asked(''), url, headers: new Headers() })
    assert.equal((open('http://localhost/dev/mail') as HttpAnswer).status, 200)
    assert.throws(() => open('http://evil.example/dev/mail'), { code: 'forbidden' })
    assert.throws(() => open('/dev/mail'), { code: 'forbidden' })
  })
})

/** Disables ada, who gets a notice. */
async function disable({ keystile, addUser }: TestKeystile): Promise<void> {
  await keystile.users?.disable(await addUser())
}

describeOnBoth('mail', (stage) => {
  it('if the app’s send() throws, Keystile calls send() again with the same mail', async () => {
    const mails: MailMessage[] = []
    let tries = 0
    const from = 'Example <no-reply@example.com>'
    const started = await stage.start({
      mailLanguage: 'de',
      mail: {
        from,
        async send(sent: MailMessage) {
          if (tries++ === 0) throw new Error('away')
          mails.push(sent)
        },
      },
    })
    await disable(started)
    const sent = await until(async () => {
      await stage.sql('update mail set next_try_at = 0')
      return mails[0]
    })
    assert.equal(sent.subject, 'Ihr Konto bei localhost:3000 wurde gesperrt')
    assert.deepEqual([sent.from, sent.to, tries], [from, 'ada@example.com', 2])
  })

  it('if the mail server does not answer, the log names its host and port, and a fix', async () => {
    const server = await startMailServer()
    await server.close()
    const warnings: Readonly<Record<string, unknown>>[] = []
    const logger = {
      ...silentLogger,
      warn: (fields: object) => void warnings.push({ ...fields }),
    }
    const mailFrom = 'no-reply@example.com'
    await disable(await stage.start({ mailUrl: server.url, mailFrom, logger }))
    const { host, port, failure, cause, fix } = await until(async () => {
      await stage.sql('update mail set next_try_at = 0')
      return warnings[0]
    })
    assert.deepEqual([host, port, failure], ['127.0.0.1', server.port, 'ECONNREFUSED'])
    assert.equal(cause, 'the mail server does not run at this host and port')
    assert.match(String(fix), /^start the mail server, or correct host and port in the URL$/)
  })

  it('if mailUrl is console:, /dev/mail shows escaped mails and runs no script', async () => {
    const started = await stage.start({ mailUrl: 'console:' })
    const openPage = () => started.send('GET', '/dev/mail', { remoteAddress: '127.0.0.1' })
    assert.match((await openPage()).text, /No mail yet/)
    await disable(started)
    const page = await until(async () => {
      const answer = await openPage()
      return !answer.text.includes('No mail yet') && answer
    })
    assert.match(
      page.text,
      /<h2>Your account at localhost:3000 was disabled<\/h2>\n<p class="hint">To ada@/,
    )
    assert.equal(
      page.headers.get('content-security-policy')?.startsWith("default-src 'none'"),
      true,
    )
  })

  it(
    'keystile.close() closes the connection to the mail server',
    { timeout: 600_000 },
    async () => {
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      const server = await startMailServer({ onClose: () => resolve() })
      try {
        const mailFrom = 'no-reply@example.com'
        const started = await stage.start({ mailUrl: server.url, mailFrom })
        await disable(started)
        await server.received(1)
        await started.keystile.close()
        await closed
      } finally {
        await server.close()
      }
    },
  )

  it('if mailUrl is not console:, there is no page /dev/mail', async () => {
    assert.equal((await (await stage.start()).send('GET', '/dev/mail')).status, 404)
  })

  it('Keystile does not start if mailUrl is "console:" and other machines reach the server', () =>
    assert.rejects(
      stage.start({
        issuer: 'https://auth.example.com',
        registration: 'closed',
        mailUrl: 'console:',
        mailFrom: 'no-reply@example.com',
      }),
      /mail-console/,
    ))
})

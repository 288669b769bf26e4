// Programs that open the links in mails before their readers do: mail scanners, previews of chats,
// prefetching browsers. They use up no link. With KEYSTILE_LONG=1, for a thousand mails.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { after, afterEach, before, it } from 'node:test'
import { mount } from 'keystile/node'
import type { Browser, BrowserContext } from 'playwright-core'
import { freePort } from '../../packages/server/test-support/command.ts'
import { describeOnOne } from '../../packages/server/test-support/keystile.ts'
import {
  hiddenFieldsOf,
  mailFlows,
  readMail,
  startMails,
  type MailFlow,
  type Person,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const people = isLong ? 1_000 : 2
const skip = skipWithoutBrowser()
/** The browser of Microsoft's scanner, as emdash #3298 describes it. */
const headlessChrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'HeadlessChrome/140.0.0.0 Safari/537.36'

/** What a scanner works with. */
interface Tools {
  readonly browser: BrowserContext
  /** Whether the page asks for more than a press of its button, which a scanner can press too. */
  readonly hasFields: boolean
}

/** Opens a link. The headers include an address, as a trusted proxy reports it. */
async function open(
  link: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<string> {
  const response = await fetch(link, { method, headers })
  assert.equal(response.status, 200, `${method} ${link}`)
  return response.text()
}

/** The kinds of scanners, each of which opens each link. */
const scanners: Readonly<Record<string, (link: string, tools: Tools) => Promise<unknown>>> = {
  GET: (link) => open(link),
  HEAD: (link) => open(link, {}, 'HEAD'),
  'twice at the same time': (link) => Promise.all([open(link), open(link)]),
  'scripts, all links and the button, in Chromium': async (link, { browser, hasFields }) => {
    const page = await browser.newPage()
    await page.goto(link)
    const links = await page.locator('a').evaluateAll((found) => found.map((a) => String(a)))
    for (const url of links) await open(url)
    if (hasFields) {
      await page.getByRole('button').click()
      await page.locator('input:invalid').first().waitFor()
    }
    await page.close()
  },
  prefetch: (link) => open(link, { 'sec-purpose': 'prefetch;prerender', purpose: 'prefetch' }),
  'another address': (link) =>
    open(link, { 'x-forwarded-for': '104.47.1.254', 'user-agent': headlessChrome }),
  'the preview of a chat': async (link) => {
    for (const agent of [
      'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
      'WhatsApp/2.23.20.0',
      'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
    ])
      await open(link, { 'user-agent': agent, range: 'bytes=0-32768', accept: '*/*' })
  },
  '22 s later': (link) => open(link, { 'user-agent': headlessChrome }),
}

/** A person with an IP address of their own. */
const personOf = (n: number): Person => ({
  username: `user-${n}`,
  email: `user-${n}@example.com`,
  password: `a password of ${n} words`,
  from: {
    headers: { 'x-forwarded-for': `10.1.${n >> 8}.${n & 255}` },
    remoteAddress: '127.0.0.1',
  },
})

describeOnOne('SQLite', 'scanners of mails', (stage) => {
  let browser: Browser | undefined
  let server: Server | undefined
  before(async () => {
    if (!skip) browser = await startBrowser()
  })
  after(() => browser?.close())
  afterEach(() => void server?.close())

  /** Starts Keystile on a real socket, with limits, behind a proxy that reports addresses. */
  async function listen({ options }: MailFlow): Promise<TestMails> {
    const port = await freePort()
    const started = await startMails(stage, {
      ...options,
      issuer: `http://localhost:${port}/auth`,
      trustedProxies: ['127.0.0.1', '::1'],
      rateLimits: 'on',
    })
    const answer = mount(started.keystile)
    server = createServer(
      (request, response) => void answer(request, response, () => response.end()),
    )
    server.listen(port)
    await once(server, 'listening')
    return started
  }

  for (const flow of mailFlows)
    it(
      `${flow.name}: ${people} links still work after 8 kinds of mail scanners opened them`,
      { skip },
      async (t) => {
        const started = await listen(flow)
        const context = await browser?.newContext({ userAgent: headlessChrome })
        assert.ok(context)
        const hasFields = Object.keys(flow.fields(personOf(0))).length > 0
        const tools = { browser: context, hasFields }
        let finished = 0
        // Groups, because the server sends a limited number of mails at once.
        const size = 250
        for (let first = 0; first < people; first += size) {
          const group = Array.from({ length: Math.min(size, people - first) }, (_, n) => first + n)
          const links = await sendMails(group, flow, started)
          const rows = await validProofs(started)
          for (const [kind, scan] of Object.entries(scanners)) {
            if (kind === '22 s later') started.clock.advance(22)
            for (const link of links.values()) await scan(link, tools)
          }
          const after = await validProofs(started)
          assert.deepEqual(after, rows, 'a scanner changed a proof')
          for (const [n, link] of links) finished += await finish(link, flow, personOf(n))
          // Mails of the last steps would expire before they are sent.
          await started.settled()
          started.clock.advance(3 * 3_600)
        }
        await context.close()
        assert.equal(finished, people)
        t.diagnostic(`${stage.kind}: ${finished} of ${people} finished`)
      },
    )

  /** Sends a mail to each person of a group, from an address of their own. Returns their links. */
  async function sendMails(
    group: readonly number[],
    flow: MailFlow,
    started: TestMails,
  ): Promise<ReadonlyMap<number, string>> {
    const { keystile, mails, settled } = started
    // The notices of the group before do not belong to this flow.
    mails.length = 0
    for (const n of group) {
      const { status, text } = await flow.ask(personOf(n), started)
      assert.ok(status === 202 || status === 204, text)
    }
    await settled()
    const links = mails.map((message) => {
      const { path } = readMail(message)
      const n = Number(/\d+/.exec(message.to)?.[0])
      return [n, `${keystile.issuer}${path}`] as const
    })
    assert.deepEqual(new Set(links.map(([n]) => n)), new Set(group))
    return new Map(links)
  }

  /** Returns the proofs that have not expired: housekeeping may delete the others at any time. */
  function validProofs({ clock }: TestMails): Promise<readonly object[]> {
    const soon = clock.now() + 60_000
    return stage.sql(`select * from mail_proof where expires_at > ${soon} order by id`)
  }

  /** Opens a link as its reader does, and sends the form. Returns 1 if that worked. */
  async function finish(link: string, flow: MailFlow, person: Person): Promise<number> {
    const headers = person.from?.headers ?? {}
    const fields = { ...hiddenFieldsOf(await open(link)), ...flow.fields(person) }
    const target = link.replace(/\?.*/, '')
    const send = (): Promise<Response> =>
      fetch(target, { method: 'POST', headers, body: new URLSearchParams(fields) })
    assert.equal((await send()).status, 200)
    assert.equal((await send()).status, 403, 'a link works once')
    return 1
  }
})

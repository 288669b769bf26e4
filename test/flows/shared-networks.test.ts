// People behind one IP address, such as an office. One of them opens a page of an attacker, or is
// the attacker: the others must still get in.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeOnOne, issuer, password } from '../../packages/server/test-support/keystile.ts'
import { mailFlows, readMail, startMails } from '../../packages/server/test-support/mail-flows.ts'

const remoteAddress = '192.0.2.7'
const limited = { rateLimits: 'on', trustedProxies: [] } as const
const { origin } = new URL(issuer)
const listed = 'https://app.example'

/** The headers with which browsers send requests for a page of another origin. */
const foreign: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { origin: 'http://sibling.localhost', 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site' },
  // An older browser.
  { origin: 'https://evil.example' },
]
/** The headers of requests that are not sent for such a page. */
const own: readonly Readonly<Record<string, string>>[] = [
  {},
  { origin },
  { origin, 'sec-fetch-site': 'same-origin' },
  { origin: 'null', 'sec-fetch-site': 'same-origin' },
  // An older browser, on a page without a referrer.
  { origin: 'null' },
  { 'sec-fetch-site': 'none' },
  { origin: listed, 'sec-fetch-site': 'cross-site' },
  { origin: listed, 'sec-fetch-site': 'same-site' },
]

describeOnOne('PostgreSQL', 'a network of several people', (stage) => {
  it('every operation that may change something refuses the pages of other origins', async () => {
    const { document, send, login, addUser } = await startMails(stage, {
      loginPages: 'on',
      secondFactor: 'optional',
    })
    await addUser()
    const bearer = String((await login()).json['access_token'])
    const base = new URL(issuer).pathname
    const paths = Object.entries(document['paths'] as Readonly<Record<string, object>>)
    const operations = paths.flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        path: path.slice(base.length).replace('{id}', 'x'),
        method,
      })),
    )
    const changing = operations.filter(({ method }) => /^(post|put|patch|delete)$/.test(method))
    assert.ok(changing.length > 40)
    for (const { path, method } of changing)
      for (const headers of foreign) {
        const { status, text } = await send(method.toUpperCase(), path, { headers, bearer })
        assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`)
        assert.match(text, /The Origin must be one of|This did not work/)
      }
    assert.equal((await send('GET', '/users/me', { bearer, headers: foreign[0]! })).status, 200)
  })

  it('a request that no page of another origin sends is not refused', async () => {
    const { send, addUser } = await stage.start({ corsOrigins: [listed] })
    await addUser()
    const form = { username: 'ada', password }
    for (const headers of own)
      assert.equal((await send('POST', '/token', { form, headers })).status, 200)
  })

  it('a page of another origin cannot use up the logins of its visitor’s network', async () => {
    const { send, addUser } = await stage.start(limited)
    await addUser()
    for (let count = 0; count < 110; count++) {
      const form = { username: `user${count}`, password }
      const headers = foreign[count % foreign.length]!
      assert.equal((await send('POST', '/token', { form, headers, remoteAddress })).status, 403)
    }
    const form = { username: 'ada', password }
    assert.equal((await send('POST', '/token', { form, remoteAddress })).status, 200)
  })

  for (const { name, options, ask, confirmPath, fields } of mailFlows)
    it(`strangers in the network cannot stop the right link: ${name}`, async () => {
      const started = await startMails(stage, { ...options, ...limited })
      const { send, settled, mails } = started
      const person = { username: 'ada', email: 'ada@example.com', password }
      assert.ok((await ask(person, started)).status < 300)
      await settled()
      const { token } = readMail(mails.findLast(({ text }) => text.includes('token=')))
      const tryLink = async (value: string): Promise<number> => {
        const json = { ...fields(person), token: value }
        return (await send('POST', confirmPath, { json, remoteAddress })).status
      }

      for (let count = 0; count < 100; count++) assert.equal(await tryLink('guess'), 403)
      assert.equal(await tryLink('guess'), 429)
      assert.ok((await tryLink(token)) < 300)
      assert.equal(await tryLink(token), 429, 'a used link counts like a guess')
    })

  it('in such a network, a link that works has the limit of a network', async () => {
    const started = await startMails(stage, limited)
    const { send, settled, mails } = started
    const flow = mailFlows.find(({ name }) => name === 'invitation')
    assert.ok(flow)
    await flow.ask({ username: 'bob', email: 'bob@example.com', password }, started)
    await settled()
    const { token } = readMail(mails.at(-1))
    // A password with the name is refused before it is hashed, which takes long.
    const accept = async (network: string, password: string): Promise<number> => {
      const json = { username: 'dishwasher', password, token }
      return (await send('POST', flow.confirmPath, { json, remoteAddress: network })).status
    }
    for (let count = 0; count < 200; count++)
      assert.equal(await accept(remoteAddress, 'purple monkey dishwasher'), 422)
    assert.equal(await accept(remoteAddress, password), 429)
    assert.equal(await accept('192.0.2.8', password), 201)
  })
})

// Sends bad input over real sockets to a running server. Each answer must be a 4xx with a sentence,
// and the server must answer the next request.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../../packages/server/test-support/command.ts'
import { readAnswer, type Answer } from '../../packages/server/test-support/keystile.ts'
import {
  startStandAlone,
  type ListeningServer,
} from '../../packages/server/test-support/whole-server.ts'

const password = 'correct horse battery staple'
const attacks = new URL('../vectors/', import.meta.url)
const naughtyStrings: readonly string[] = JSON.parse(
  readFileSync(new URL('blns.json', attacks), 'utf8'),
)
const loginBypasses = readFileSync(new URL('sqli-auth-bypass-seclists.txt', attacks), 'utf8')
  .split('\n')
  .filter((line) => line !== '')

type Body = string | Buffer<ArrayBuffer> | URLSearchParams

let server: ListeningServer
let url: string
let port: number
const logged: unknown[] = []

before(async () => {
  port = await freePort()
  url = `http://localhost:${port}`
  const log = (fields: object, message: string): void => void logged.push(fields, message)
  const logger = { debug: log, info: log, warn: log, error: log }
  const scopes = { 'items:read': 'x' }
  server = await startStandAlone(
    { issuer: url, database: ':memory:', rateLimits: 'off', logger, scopes },
    port,
  )
  await send(
    '/users',
    JSON.stringify({ username: 'ada', email: 'ada@example.com', password }),
    'application/json',
  )
})

after(async () => {
  await server.close()
})

async function send(path: string, body: Body, type?: string): Promise<Answer> {
  return readAnswer(
    await fetch(`${url}${path}`, {
      method: 'POST',
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    }),
  )
}

/** Checks a refusal: it is a 4xx with a sentence, repeats no input and shows no internals. */
function assertRefused(answer: Answer, label: string, secrets: readonly string[] = []): void {
  assert.ok(
    answer.status >= 400 && answer.status < 500,
    `${label}: ${answer.status} ${answer.text}`,
  )
  assert.equal(typeof answer.json['detail'], 'string', label)
  assert.match(answer.json['detail'], /^\S+ .*\S/, label)
  assert.doesNotMatch(
    answer.text,
    /node_modules|\.ts:|\bat \w+ \(|sqlite|SQLITE|select .* from/i,
    label,
  )
  for (const secret of secrets) assert.ok(!answer.text.includes(secret), `${label} is repeated`)
}

/** Sends raw bytes, which no client library would send. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.end(bytes)
  return text(socket)
}

async function assertAlive(): Promise<void> {
  assert.equal(
    (await send('/token', new URLSearchParams({ username: 'ada', password }))).status,
    200,
  )
}

describe('POST /token', () => {
  const form = 'application/x-www-form-urlencoded'
  const table: readonly (readonly [string, string | Buffer<ArrayBuffer>, string])[] = [
    ['a JSON body', JSON.stringify({ username: 'ada', password }), 'application/json'],
    ['a content type that is not a form', `username=ada&password=${password}`, 'text/plain'],
    ['a percent sign alone', 'username=ada&password=100%', form],
    ['a percent sign before a letter that is not hex', 'username=%zz&password=x', form],
    ['an overlong UTF-8 sequence', 'username=%c0%af&password=x', form],
    ['a surrogate in UTF-8', 'username=%ed%a0%80&password=x', form],
    ['raw bytes that are not UTF-8', Buffer.from('username=\xff\xfe&password=x', 'latin1'), form],
    ['an empty body', '', form],
    ['only ampersands', '&&&&', form],
    ['a bracketed name', 'username[]=ada&password[x]=y', form],
    ['names of object members', '__proto__=x&constructor=y', form],
    ['a repeated username', 'username=ada&username=bob&password=x', form],
    ['a megabyte of password', `username=ada&password=${'x'.repeat(1_000_000)}`, form],
    ['a megabyte of name', `username=${'x'.repeat(1_000_000)}&password=x`, form],
    [
      'a megabyte of parameters',
      Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join('&'),
      form,
    ],
    ['64 KB of scope', `username=ada&password=x&scope=${'x'.repeat(64_000)}`, form],
    [
      '10,000 scopes',
      `username=ada&password=x&scope=${Array.from({ length: 10_000 }, (_, i) => i).join('+')}`,
      form,
    ],
    ['multipart without a boundary', 'x', 'multipart/form-data'],
    [
      'multipart that ends early',
      '--b\r\ncontent-disposition: form-data; name="username"\r\n\r\nada',
      'multipart/form-data; boundary=b',
    ],
    [
      'a multipart file',
      '--b\r\ncontent-disposition: form-data; name="username"; filename="x"\r\n\r\nada\r\n--b--\r\n',
      'multipart/form-data; boundary=b',
    ],
    ['a malformed multipart boundary', 'x', 'multipart/form-data; boundary=("'],
  ]
  for (const [title, body, type] of table) {
    it(`POST /token refuses ${title} with a clear message (RFC 6749 §5.2)`, async () => {
      const answer = await send('/token', body, type)
      assertRefused(answer, title)
      assert.match(answer.json['error'], /^invalid_(request|scope)$/)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      await assertAlive()
    })
  }

  const strings = [...loginBypasses, ...naughtyStrings].filter(
    (text) => text !== '' && text.isWellFormed(),
  )
  // Tries a random sixteenth of the strings, because every try costs two hashes.
  const first = randomInt(16)
  const tried = process.env['KEYSTILE_LONG'] ? strings : strings.filter((_, i) => i % 16 === first)
  const share = `${tried.length} of ${strings.length}`
  it(`POST /token returns invalid_grant for dangerous names and passwords (${share})`, async () => {
    for (const text of tried) {
      const asName = send('/token', new URLSearchParams({ username: text, password }))
      const asPassword = send('/token', new URLSearchParams({ username: 'ada', password: text }))
      for (const answer of await Promise.all([asName, asPassword])) {
        assertRefused(answer, text, text.length > 8 ? [text] : [])
        assert.equal(answer.json['error'], 'invalid_grant', text)
      }
    }
    await assertAlive()
  })
})

describe('POST /users', () => {
  const good = { username: 'new', email: 'new@example.com', password }
  const rest = `"email":"x@example.com","password":"${password}"`
  const bodies: Readonly<Record<string, string | Buffer<ArrayBuffer>>> = {
    'a body that is not JSON': '{username: ada}',
    'an empty body': '',
    'an array': '[]',
    'a string': '"ada"',
    null: 'null',
    'a byte order mark': `\ufeff${JSON.stringify(good)}`,
    'bytes that are not UTF-8': Buffer.from('{"username":"\xff"}', 'latin1'),
    'a repeated member': `{"username":"a1","username":"b2",${rest}}`,
    'a repeated member in another spelling': `{"username":"a1","\\u0075sername":"b2",${rest}}`,
    'a lone surrogate': `{"username":"ab\\ud800",${rest}}`,
    'an unknown member': JSON.stringify({ ...good, is_admin: true }),
    __proto__: `{"__proto__":{"username":"x"},${JSON.stringify(good).slice(1)}`,
    numbers: JSON.stringify({ username: 1, email: 2, password: 3 }),
    arrays: JSON.stringify({ username: ['ada'], email: [], password: {} }),
    nulls: JSON.stringify({ username: null, email: null, password: null }),
    'deep nesting': `{"username":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    'deep nesting of objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    'a megabyte of password': JSON.stringify({ ...good, password: 'x'.repeat(1_000_000) }),
    'an enormous number': `{"username":1e999999,"email":"x","password":"y"}`,
    'a trailing comma': `{"username":"ada",}`,
    'a look-alike name': JSON.stringify({ ...good, username: 'аda' }),
    'a full-width @': JSON.stringify({ ...good, email: 'new＠example.com' }),
    'an e-mail with a line end': JSON.stringify({
      ...good,
      email: 'new@example.com\nbcc: x@example.com',
    }),
  }
  for (const [title, body] of Object.entries(bodies)) {
    it(`POST /users refuses ${title} with a clear message`, async () => {
      assertRefused(await send('/users', body, 'application/json'), title, [password])
      await assertAlive()
    })
  }

  it('POST /users returns 415 for a content type that is not JSON', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonx',
      'multipart/form-data; boundary=x',
    ]) {
      assert.equal((await send('/users', JSON.stringify(good), type)).status, 415, type)
    }
  })

  it('POST /users accepts no dangerous string as name, e-mail address or body', async () => {
    for (const text of naughtyStrings) {
      if (/^[A-Za-z0-9][\w.-]+$/.test(text)) continue
      assertRefused(
        await send('/users', JSON.stringify({ ...good, username: text }), 'application/json'),
        text,
      )
      assertRefused(
        await send('/users', JSON.stringify({ ...good, email: text }), 'application/json'),
        text,
      )
      assertRefused(await send('/users', text, 'application/json'), text)
    }
    await assertAlive()
  })
})

describe('the server and malformed requests', () => {
  const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

  it('two Authorization headers get 400 invalid_request (OAuth 2.1 §5.1)', async () => {
    const answer = await sendRaw(
      'GET /users/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a.b.c\r\n' +
        'authorization: Bearer d.e.f\r\nconnection: close\r\n\r\n',
    )
    assert.equal(statusOf(answer), 400)
    assert.match(answer, /error="invalid_request"/)
  })

  it('the server refuses request smuggling and closes the connection', async () => {
    const shapes = [
      'POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n' +
        '0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n',
      'POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd',
      'POST /token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n',
      'POST /token HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n',
      'GET /users/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a\r\n b\r\n\r\n',
      'GET /users/me HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n',
      'GET /users/me HTTP/1.1\r\n\r\n',
      'nonsense\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ]
    for (const shape of shapes) {
      const answer = await sendRaw(shape)
      assert.equal(statusOf(answer), 400, JSON.stringify(shape))
      assert.equal(answer.match(/HTTP\/1\.1/g)!.length, 1, 'one answer, and the connection ends')
    }
    await assertAlive()
  })

  it('the server returns 400 or 404 for strange paths, and 405 for strange methods', async () => {
    const line = async (start: string): Promise<number> =>
      statusOf(
        await sendRaw(`${start} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`),
      )
    for (const target of [
      '//users/me',
      '/../users/me',
      '/users/./me',
      '/users/me%00',
      '/%2e%2e/users/me',
      '*',
      'http://evil.example/nothing',
      'http://[/',
      '/\\users\\me',
      '/users/me#x',
    ]) {
      assert.ok(
        [400, 404].includes(await line(`GET ${target}`)) || target === '/users/me#x',
        target,
      )
    }
    assert.equal(await line('GET http://evil.example/users/me'), 401)
    for (const method of ['PUT', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND'])
      assert.equal(await line(`${method} /users/me`), 405, method)
  })

  it('the server returns 431 for too large headers, and survives an incomplete body', async () => {
    assert.equal(
      statusOf(
        await sendRaw(
          'GET /users/me HTTP/1.1\r\nhost: x\r\n' +
            `authorization: Bearer ${'a'.repeat(20_000)}\r\n\r\n`,
        ),
      ),
      431,
    )
    await sendRaw(
      'POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n' +
        'content-length: 1000\r\n\r\nusername=',
    )
    await assertAlive()
  })

  it('the metadata has the configured issuer, whatever Host is sent (RFC 8414 §3.3)', async () => {
    const answer = await sendRaw(
      'GET /.well-known/oauth-authorization-server HTTP/1.1\r\nhost: evil.example\r\n' +
        'x-forwarded-host: evil.example\r\nx-forwarded-proto: https\r\nconnection: close\r\n\r\n',
    )
    assert.equal(statusOf(answer), 200)
    assert.ok(answer.includes(`"issuer":"${url}"`))
    assert.ok(!answer.includes('evil'))
  })

  it('the server sends no CORS headers to an origin that is not in corsOrigins', async () => {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const response = await fetch(`${url}/users/me`, {
        method,
        headers: { origin: 'https://evil.example' },
      })
      for (const name of response.headers.keys()) assert.doesNotMatch(name, /^access-control-/)
    }
  })

  it('the log contains no password and no token of these tests', () => {
    const log = JSON.stringify(logged)
    for (const secret of [password, encodeURIComponent(password), 'Bearer '])
      assert.ok(!log.includes(secret), secret)
  })
})

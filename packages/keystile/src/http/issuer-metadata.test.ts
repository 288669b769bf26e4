import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fetchJwksUri, requireDiscoverable, requireJwksUri } from './issuer-metadata.ts'

const { signal } = new AbortController()

/** An issuer with these answers, and 404 for all other paths. */
function answering(answers: Readonly<Record<string, () => Response>>): {
  readonly asked: string[]
  readonly options: Parameters<typeof fetchJwksUri>[1]
} {
  const asked: string[] = []
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url)
    return answers[url]?.() ?? new Response(null, { status: 404 })
  }
  return { asked, options: { fetch, signal } }
}

describe('requireDiscoverable', () => {
  for (const issuer of [
    'https://auth.example',
    'https://auth.example/',
    'https://auth.example:8443/tenant/a/',
    'https://[2001:db8::1]/',
    'http://localhost:3000/auth',
    'http://localhost',
    'http://127.0.0.1:8000',
    'http://127.255.0.9',
    'http://127.0.10.10',
    'http://[::1]:8000',
  ]) {
    it(`requireDiscoverable accepts ${issuer}`, () => {
      requireDiscoverable(issuer)
    })
  }

  for (const issuer of [
    'http://auth.example',
    'http://localhost.evil.example',
    'http://evil-localhost',
    'http://127.0.0.1.evil.example',
    'http://128.0.0.1',
    'http://10.0.0.1',
    'http://0.0.0.0:8000',
    'http://[::2]',
    'http://[::ffff:10.0.0.1]',
    'http://localhost@evil.example',
    'https://user@auth.example',
    'https://user:hunter2@auth.example',
    'https://:hunter2@auth.example',
    'https://auth.example?a=1',
    'https://auth.example?',
    'https://auth.example/#a',
    'https://auth.example#',
    ' https://auth.example',
    'https://auth.example ',
    'https://auth.example\n',
    'https:\\\\auth.example',
    'https:auth.example',
    'HTTPS://auth.example',
    'https://',
    'https://[::1',
    'https://auth.example:99999',
    'auth.example',
    'auth',
    'ftp://auth.example',
    'file:///etc/keys',
    'data:application/json,{}',
  ]) {
    it(`requireDiscoverable refuses ${JSON.stringify(issuer)}, and shows no password`, () => {
      assert.throws(
        () => requireDiscoverable(issuer),
        (error) =>
          error instanceof TypeError &&
          error.message.startsWith('`issuer` must be an https URL') &&
          !error.message.includes('hunter2'),
      )
    })
  }

  it('requireDiscoverable says what to do if the issuer is not a URL', () => {
    assert.throws(() => requireDiscoverable('auth'), {
      message:
        '`issuer` must be an https URL without user, query or fragment, because its keys are ' +
        'fetched from there. Fix: correct the URL, or pass the keys of the issuer as `keys`',
    })
  })
})

it('requireDiscoverable refuses an http URL on another machine, and says how to fix it', () => {
  const fix = 'Fix: use https; http is accepted only on localhost, 127.0.0.0/8 and [::1]'
  assert.throws(() => requireDiscoverable('http://auth.example/hunter2'), {
    message: `\`issuer\` must be an https URL; it is http://auth.example. ${fix}`,
  })
  assert.throws(() => requireJwksUri('http://auth.example/hunter2'), {
    message: `\`jwksUri\` must be an https URL; its origin is http://auth.example. ${fix}`,
  })
})

describe('fetchJwksUri', () => {
  const metadata =
    (issuer: unknown, jwks_uri: unknown = 'https://keys.example/jwks') =>
    (): Response =>
      Response.json({ issuer, jwks_uri })

  it('fetchJwksUri first tries the well-known path after the host (RFC 8414 §3.1)', async () => {
    for (const [issuer, url] of [
      ['https://auth.example', 'https://auth.example/.well-known/oauth-authorization-server'],
      ['https://auth.example/', 'https://auth.example/.well-known/oauth-authorization-server'],
      [
        'https://auth.example/a/b',
        'https://auth.example/.well-known/oauth-authorization-server/a/b',
      ],
      [
        'https://auth.example:8443/a/',
        'https://auth.example:8443/.well-known/oauth-authorization-server/a',
      ],
      ['http://[::1]:9/a', 'http://[::1]:9/.well-known/oauth-authorization-server/a'],
    ] as const) {
      const { asked, options } = answering({ [url]: metadata(issuer) })
      assert.equal(await fetchJwksUri(issuer, options), 'https://keys.example/jwks')
      assert.deepEqual(asked, [url])
    }
  })

  const issuer = 'https://auth.example/a'
  const places = [
    'https://auth.example/.well-known/oauth-authorization-server/a',
    'https://auth.example/a/.well-known/oauth-authorization-server',
    'https://auth.example/a/.well-known/openid-configuration',
  ] as const

  it('after each 404, fetchJwksUri tries the next of three well-known URLs', async () => {
    for (const [i, place] of places.entries()) {
      const { asked, options } = answering({ [place]: metadata(issuer) })
      assert.equal(await fetchJwksUri(issuer, options), 'https://keys.example/jwks')
      assert.deepEqual(asked, places.slice(0, i + 1))
    }
  })

  it('after a 400, which Cognito sends, fetchJwksUri tries the next URL', async () => {
    for (const status of [400, 401, 403, 499]) {
      const missing = (): Response => new Response('{"message":"BadRequest"}', { status })
      const { asked, options } = answering({
        [places[0]]: missing,
        [places[1]]: missing,
        [places[2]]: metadata(issuer),
      })
      assert.equal(await fetchJwksUri(issuer, options), 'https://keys.example/jwks')
      assert.deepEqual(asked, places)
    }
  })

  it('fetchJwksUri asks each URL once, and rejects if no URL has the metadata', async () => {
    const first = 'https://auth.example/.well-known/oauth-authorization-server'
    const { asked, options } = answering({ [first]: () => new Response(null, { status: 403 }) })
    await assert.rejects(fetchJwksUri('https://auth.example/', options), {
      message: 'https://auth.example/ publishes no metadata: its well-known URLs answered 403, 404',
    })
    assert.deepEqual(asked, [
      'https://auth.example/.well-known/oauth-authorization-server',
      'https://auth.example/.well-known/openid-configuration',
    ])
  })

  it('fetchJwksUri stops at any error other than a missing document', async () => {
    const failures: readonly (() => Response)[] = [
      () => new Response(null, { status: 500 }),
      () => new Response(null, { status: 429 }),
      () => new Response(null, { status: 408 }),
      () => new Response('<html>'),
      metadata('https://evil.example'),
      metadata(issuer, 'http://keys.example/jwks'),
    ]
    for (const failure of failures) {
      const { asked, options } = answering({
        [places[0]]: failure,
        [places[1]]: metadata(issuer),
      })
      await assert.rejects(fetchJwksUri(issuer, options))
      assert.deepEqual(asked, places.slice(0, 1))
    }
  })

  for (const other of [
    'https://auth.example/a/',
    'https://AUTH.example/a',
    'https://auth.example:443/a',
    'https://auth.example/A',
    'https://auth.example',
    'https://evil.example/a',
    `${issuer} `,
    '',
    undefined,
    null,
    [issuer],
    { toString: issuer },
  ]) {
    it(`fetchJwksUri refuses metadata of a wrong issuer: ${JSON.stringify(other)}`, async () => {
      const { options } = answering({ [places[0]]: metadata(other) })
      await assert.rejects(
        fetchJwksUri(issuer, options),
        /must be https:\/\/auth\.example\/a; it is /,
      )
    })
  }

  it('in the error of fetchJwksUri, a wrong issuer is shortened and escaped', async () => {
    for (const [other, said] of [
      ['https://evil.example', '"https://evil.example"'],
      ['a"\n\u001b[2J\u202e\u00e9', String.raw`"a\"\n\u001b[2J\u202e\u00e9"`],
      ['x'.repeat(78), `"${'x'.repeat(78)}"`],
      ['x'.repeat(79), `"${'x'.repeat(77)}…"`],
      ['x'.repeat(5_000), `"${'x'.repeat(77)}…"`],
      [5, '5'],
      [{}, 'an object'],
    ] as const) {
      const { options } = answering({ [places[0]]: metadata(other) })
      const message = `the "issuer" in ${places[0]} must be ${issuer}; it is ${said}`
      await assert.rejects(fetchJwksUri(issuer, options), { message })
    }
  })

  const uriOf = (from: string, uri: unknown): Promise<string> =>
    fetchJwksUri(from, {
      signal,
      fetch: async () =>
        Response.json({ issuer: from, ...(uri !== undefined && { jwks_uri: uri }) }),
    })

  for (const uri of [
    undefined,
    null,
    '',
    42,
    ['https://keys.example/jwks'],
    '/jwks',
    'keys.example/jwks',
    'http://keys.example/jwks',
    'http://localhost/jwks',
    'http://127.0.0.1/jwks',
    'file:///etc/keys',
    'data:application/json,{"keys":[]}',
    'blob:https://keys.example/1',
    'https://user:hunter2@keys.example/jwks',
  ]) {
    it(`fetchJwksUri refuses the jwks_uri ${JSON.stringify(uri)} of an https issuer`, async () => {
      await assert.rejects(uriOf(issuer, uri), (error: Error) => {
        assert.match(error.message, /"jwks_uri" .* must be an https URL/)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      })
    })
  }

  it('fetchJwksUri accepts http only if issuer and jwks_uri are on this machine', async () => {
    for (const local of [
      'http://localhost:3000/auth',
      'http://127.0.0.1:3000',
      'http://[::1]:3000',
    ]) {
      for (const uri of [
        'http://localhost:1/jwks',
        'http://127.0.0.2/jwks',
        'http://[::1]/jwks',
        'https://keys.example/',
      ])
        assert.equal(await uriOf(local, uri), uri)
      await assert.rejects(
        uriOf(local, 'http://keys.example/jwks'),
        /"jwks_uri" .* must be an https URL/,
      )
      await assert.rejects(
        uriOf(local, 'http://10.0.0.1/jwks'),
        /"jwks_uri" .* must be an https URL/,
      )
    }
  })
})

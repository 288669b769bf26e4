import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpAnswer } from '../http/message.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { createGuardCore } from './guard.ts'
import { protectedResource, type ProtectedResourceOptions } from './protected-resource.ts'
import { createVerifier, type Verifier } from './verifier.ts'

const resource = 'https://orders.example'
const wellKnown = '/.well-known/oauth-protected-resource'

function verifierOf(
  audience: string | readonly string[] = resource,
  issuer: string = 'https://auth.example',
): Verifier {
  const keys = keySetOf([generateKey('ES256')])
  return createVerifier({ issuer, audience, keys, revocations: 'none' })
}

function ask(
  options: Partial<ProtectedResourceOptions>,
  { method = 'GET', url = wellKnown }: { readonly method?: string; readonly url?: string } = {},
): Promise<HttpAnswer | undefined> {
  const published = protectedResource({
    resource,
    verifier: verifierOf(options.resource),
    ...options,
  })
  const headers = new Headers({ host: 'evil.example', 'x-forwarded-host': 'evil.example' })
  return published.answer({ method, url, headers })
}

const metadataOf = (answer: HttpAnswer | undefined): unknown => JSON.parse(answer?.body ?? 'null')

describe('the metadata of a protected resource', () => {
  it('API metadata has the resource, the issuer and the bearer methods (RFC 9728 §2)', async () => {
    assert.deepEqual(await ask({}), {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
      },
      body:
        '{"resource":"https://orders.example","authorization_servers":["https://auth.example"],' +
        '"bearer_methods_supported":["header"]}',
    })
  })

  it('API metadata has the scopes, the name and the documentation from the options', async () => {
    const answer = await ask({
      scopes: { 'orders:read': 'Read orders', 'orders:write': 'Change orders' },
      resourceName: 'Orders',
      resourceDocumentation: 'https://docs.example/orders?of=1#tokens',
    })
    assert.deepEqual(metadataOf(answer), {
      resource,
      authorization_servers: ['https://auth.example'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['orders:read', 'orders:write'],
      resource_name: 'Orders',
      resource_documentation: 'https://docs.example/orders?of=1#tokens',
    })
  })

  it('API metadata has no list of scopes if the list would be empty (RFC 9728 §3.2)', async () => {
    assert.doesNotMatch((await ask({ scopes: {} }))?.body ?? '', /scopes_supported/)
  })

  it('API metadata lists all issuers that the verifier accepts', async () => {
    const issuers = ['https://auth.example', 'https://login.partner.example/tenant/']
    const verifier = createVerifier({ issuer: issuers, audience: resource, revocations: 'none' })
    const metadata = metadataOf(await ask({ verifier })) as { authorization_servers: string[] }
    assert.deepEqual(metadata.authorization_servers, issuers)
  })

  it('API metadata lists the `issuer` of a verifier that has no `issuers`', async () => {
    const { issuer, state, ready, close, verify } = verifierOf('not compared')
    const metadata = metadataOf(await ask({ verifier: { issuer, state, ready, close, verify } }))
    assert.deepEqual((metadata as { authorization_servers: string[] }).authorization_servers, [
      'https://auth.example',
    ])
  })

  for (const [url, path] of [
    ['https://orders.example/', wellKnown],
    ['https://orders.example:8443/v1', `${wellKnown}/v1`],
    ['https://orders.example/v1/', `${wellKnown}/v1/`],
    ['http://localhost:3000/mcp', `${wellKnown}/mcp`],
    ['http://127.0.0.1/mcp', `${wellKnown}/mcp`],
    ['http://[::1]/mcp', `${wellKnown}/mcp`],
  ] as const) {
    it(`the metadata of ${url} is served at ${path} and nowhere else (RFC 9728 §3.1)`, async () => {
      const metadata = metadataOf(await ask({ resource: url }, { url: `${path}?fresh` }))
      assert.equal((metadata as { resource: string }).resource, url)
      for (const other of ['/', '/v1', `${wellKnown}/other`, `${path}x`, `x${path}`])
        assert.equal(await ask({ resource: url }, { url: other }), undefined, other)
      if (path !== wellKnown) assert.equal(await ask({ resource: url }), undefined)
    })
  }

  it('the metadata endpoint answers HEAD like GET; the web server removes the body', async () => {
    assert.deepEqual(await ask({}, { method: 'HEAD' }), await ask({}))
  })

  it('the answer to a preflight for the metadata allows all origins and all headers', async () => {
    assert.deepEqual(await ask({}, { method: 'OPTIONS' }), {
      status: 204,
      headers: {
        allow: 'GET, HEAD, OPTIONS',
        'access-control-allow-origin': '*',
        'access-control-allow-headers': '*',
      },
    })
  })

  it('the metadata endpoint answers POST with 405 and an Allow header', async () => {
    const answer = await ask({}, { method: 'POST' })
    assert.equal(answer?.status, 405)
    assert.equal(answer.headers['allow'], 'GET, HEAD, OPTIONS')
    assert.equal(answer.headers['access-control-allow-origin'], '*')
    assert.match(answer.body ?? '', /The method must be one of GET, HEAD, OPTIONS/)
  })
})

describe('the options of protectedResource', () => {
  const refused = (options: object, message: RegExp): void =>
    assert.throws(
      () => protectedResource({ resource, verifier: verifierOf(), ...options }),
      (error) => error instanceof TypeError && message.test(error.message),
    )

  for (const wrong of [
    'http://orders.example',
    'https://orders.example#a',
    'https://orders.example/#',
    'https://orders.example?a=b',
    'https://orders.example/v1?',
    'https://ada:secret@orders.example',
    'https://ada@orders.example',
    'https:\\\\orders.example',
    'https://orders.example/a b',
    'https://orders.example\n',
    'https://',
    'HTTPS://orders.example',
    'ftp://orders.example',
    '//orders.example',
    '/orders',
    'orders',
    '',
    undefined,
    null,
    7,
    new URL(resource),
    [resource],
  ]) {
    it(`protectedResource refuses a resource that is not a safe URL: ${String(wrong)}`, () => {
      refused(
        { resource: wrong },
        /`resource` must be an https URL without user, query and fragment|is undefined/,
      )
    })
  }

  it('the error for an http resource shows the URL’s origin, but no user or password', () => {
    const fix =
      'Fix: write it like https://api.example/v1. ' +
      'http is accepted only on localhost, 127.0.0.0/8 and [::1]'
    const rule = '`resource` must be an https URL without user, query and fragment; it is '
    assert.throws(
      () => protectedResource({ resource: 'http://a.example/v1', verifier: verifierOf() }),
      {
        message: `${rule}http://a.example. ${fix}`,
      },
    )
    assert.throws(
      () => protectedResource({ resource: 'http://ada:secret@a.example', verifier: verifierOf() }),
      { message: `${rule}another text. ${fix}` },
    )
    assert.throws(() => protectedResource({ resource: 7 as never, verifier: verifierOf() }), {
      message: `${rule}7. ${fix}`,
    })
  })

  for (const [wrong, right] of [
    ['https://Orders.example', 'https://orders.example/'],
    ['https://orders.example:443/v1', 'https://orders.example/v1'],
    ['https://orders.example/a/../v1', 'https://orders.example/v1'],
    ['https://orders.example/ä', 'https://orders.example/%C3%A4'],
    ['http://127.1/v1', 'http://127.0.0.1/v1'],
  ] as const) {
    it(`protectedResource refuses ${wrong}, because this URL is not normalized`, () => {
      const fix = `\`resource\` must be normalized, as clients write it. Fix: resource: '${right}'`
      assert.throws(() => protectedResource({ resource: wrong, verifier: verifierOf(wrong) }), {
        name: 'TypeError',
        message: fix,
      })
    })
  }

  it('protectedResource refuses a resource that the verifier does not accept as audience', () => {
    for (const audience of ['orders', `${resource}/`])
      assert.throws(() => protectedResource({ resource, verifier: verifierOf(audience) }), {
        name: 'TypeError',
        message:
          '`resource` must be an audience of the verifier, because clients request tokens for the ' +
          `resource. Fix: set \`audience\` of createVerifier to ['${audience}', '${resource}'], ` +
          `or \`audience\` of createKeystile to '${resource}'`,
      })
    protectedResource({ resource, verifier: verifierOf(['orders', resource]) })
  })

  for (const issuer of ['orders', 'http://auth.example', 'https://auth.example?a']) {
    it(`protectedResource refuses an issuer that cannot publish metadata: ${issuer}`, () => {
      refused({ verifier: verifierOf(resource, issuer) }, /^each issuer must be an https URL/)
    })
  }

  it('protectedResource checks every issuer of a verifier, not only the first', () => {
    const verifier = { ...verifierOf(), issuers: ['https://auth.example', 'orders'] }
    refused({ verifier }, /^each issuer must be an https URL/)
  })

  it('protectedResource refuses a wrong verifier, scopes or resourceName, and says why', () => {
    for (const [verifier, kind] of [
      [null, 'null'],
      ['v', 'a string'],
      [{ verifier: verifierOf() }, 'an object'],
      [Promise.resolve(verifierOf()), 'an object'],
    ] as const)
      refused(
        { verifier },
        new RegExp(`^\`verifier\` must be a verifier; it is ${kind}\\. Fix: pass `),
      )
    for (const [scopes, kind] of [
      [['orders:read'], 'an array'],
      ['orders:read', 'a string'],
      [null, 'null'],
    ] as const)
      refused({ scopes }, new RegExp(`^\`scopes\` must be an object that maps .*; it is ${kind}$`))
    for (const resourceName of ['', 7, null])
      refused({ resourceName }, /^`resourceName` must be a name; it is/)
    refused({ scopes: undefined }, /the option `scopes` of protectedResource is undefined/)
    refused({ audience: resource }, /protectedResource has no option `audience`/)
  })

  it('protectedResource accepts only an http or https URL as resourceDocumentation', () => {
    const verifier = verifierOf()
    for (const page of ['http://docs.example', 'https://docs.example/a?b#c'])
      protectedResource({ resource, verifier, resourceDocumentation: page })
    const others = ['/docs', 'javascript:alert(1)', ' https://docs.example', 'https://', 7, null]
    for (const page of [...others, new URL('https://docs.example'), 'x:https://docs.example'])
      refused({ resourceDocumentation: page }, /^`resourceDocumentation` must be the http or https/)
  })
})

describe('the challenge of a guard for a protected resource', () => {
  const challengeOf = async (verifier: Verifier): Promise<string | undefined> => {
    const guard = createGuardCore({ verifier })
    const request = { method: 'GET', url: '/', headers: new Headers({ host: 'evil.example' }) }
    const decision = await guard.check(request, guard.demand([], false))
    assert.ok(!decision.allowed)
    return decision.answer.headers['www-authenticate']
  }

  it('a challenge has the URL of the metadata only after mount() (RFC 9728 §5.1)', async () => {
    const verifier = verifierOf('https://orders.example/v1')
    const published = protectedResource({ resource: 'https://orders.example/v1', verifier })
    assert.equal(await challengeOf(verifier), 'Bearer realm="https://auth.example"')

    published.onMount()
    assert.equal(
      await challengeOf(verifier),
      'Bearer realm="https://auth.example", resource_metadata=' +
        '"https://orders.example/.well-known/oauth-protected-resource/v1"',
    )
    assert.doesNotMatch((await challengeOf(verifierOf())) ?? '', /resource_metadata/)
  })

  it('a challenge has the URL of the metadata even if the verifier object is frozen', async () => {
    const verifier = Object.freeze({ ...verifierOf() })
    protectedResource({ resource, verifier }).onMount()
    assert.match(
      (await challengeOf(verifier)) ?? '',
      /resource_metadata="https:\/\/orders\.example/,
    )
  })

  it('two mounts of one resource can share a verifier, but two resources cannot', () => {
    const verifier = verifierOf([resource, 'https://orders.example/v1'])
    protectedResource({ resource, verifier }).onMount()
    protectedResource({ resource, verifier }).onMount()
    const other = protectedResource({ resource: 'https://orders.example/v1', verifier })
    assert.throws(() => other.onMount(), {
      name: 'TypeError',
      message:
        'a verifier must belong to one resource; this one already has ' +
        'https://orders.example/.well-known/oauth-protected-resource. ' +
        'Fix: create a verifier for each resource, with the resource as its audience',
    })
  })
})

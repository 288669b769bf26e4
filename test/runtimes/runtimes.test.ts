// Runs the library in Deno, Bun and workerd. Runs only with KEYSTILE_LONG=1: it downloads 100 MB.
// With KEYSTILE_WRITE_RESULTS=1 it also writes results.json, from which
// tools/reference-pages.ts makes the table of docs/reference/runtimes.md.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { generateKey, importKey, verifyJwt } from 'keystile/jwt'
import { freePort } from '../../packages/server/test-support/command.ts'
import { clientOf, type Received } from '../adapters/client.ts'
import { describeOpened, type Open, type Platform } from '../adapters/suite.ts'
import { accessTokenOf, startPublisher } from '../conformance/start-publisher.ts'
import {
  judgeKeySets,
  judgeSignatures,
  type Group,
  type Verdict,
} from '../conformance/wycheproof.ts'
import { blocks, root } from '../docs/blocks.ts'
import { usePacked } from '../support/packed.ts'
import { makeAlgorithmCase } from './algorithm-cases.ts'
import { tryAlgorithm } from './algorithms.ts'
import { openIn, senderTo } from './remote-app.ts'
import { describeRemoteFeed } from './remote-feed.ts'
import { describeRemoteKeys } from './remote-keys.ts'
import { algorithmNames, readResults, resultsFile, type Results } from './results.ts'
import {
  installRuntimes,
  programFor,
  runtimeNames,
  startApp,
  startBundle,
  versionOf,
  type Running,
  type RuntimeName,
} from './runtimes.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

const page = readFileSync(join(root, 'docs/reference/runtimes.md'), 'utf8')
const [, pageDate = assert.fail()] = /compatibility_date = "(.*)"/.exec(page) ?? []
const program = blocks.find(({ name }) => name.startsWith('reference-runtimes-'))?.code ?? ''

/** Workers behave as on a date: that of the page, and the oldest one that the page allows. */
const variants = [
  ...runtimeNames.map((name) => ({ name, title: name, date: pageDate })),
  { name: 'workerd', title: 'workerd 2024-11-11', date: '2024-11-11' },
] as const

const platforms: Readonly<Record<RuntimeName, Platform>> = {
  deno: { closesUnread: true },
  bun: { refusesPipelining: true },
  workerd: { closesUnread: true },
}

describe('keystile in other runtimes', { skip }, () => {
  const { app } = usePacked()
  const results: Record<string, Results[string]> = {}
  before(installRuntimes)

  for (const { name, title, date } of variants) {
    describe(`keystile in ${title}`, () => {
      let running: Running
      before(async () => {
        const folder = app('keystile', ['hono'])
        running = await startBundle(name, programFor(name), folder, date)
      })
      after(() => running.stop())
      const port = (): number => running.port

      const open = (framework: 'hono' | 'web'): Open => openIn(framework, port)
      const names = { route: '/items/new', inRouter: '/area/read' }
      const platform = platforms[name]
      describeOpened(`Hono in ${title}`, open('hono'), names, platform)
      describeOpened(`web handlers in ${title}`, open('web'), undefined, platform)
      describeRemoteKeys(title, port, name === 'workerd')
      describeRemoteFeed(title, port, name === 'workerd')
      describeLoading(title, port, name === 'workerd')

      let wycheproof = { sameVerdicts: 0, vectors: 0 }
      it(`${title} judges all Wycheproof vectors as Node does, with the same reasons`, async () => {
        const { verdicts, expected } = await judge(port())
        const equal = verdicts.filter((verdict, i) => isDeepStrictEqual(verdict, expected[i]))
        wycheproof = { sameVerdicts: equal.length, vectors: expected.length }
        assert.deepEqual(verdicts, expected)
      })

      it(`${title} and Node accept each other’s keys and signatures`, async () => {
        const lacks = await findLacks(port())
        results[title] = {
          version: versionOf(name),
          lacks,
          ...wycheproof,
          platform,
        }
      })
    })
  }

  for (const name of runtimeNames) {
    it(`the program of docs/reference/runtimes.md guards its route in ${name}`, async (t) => {
      const key = generateKey('ES256')
      const publisher = await startPublisher(key)
      t.after(() => publisher.stop())
      const code = program.replace('https://auth.example', publisher.issuer)
      const folder = app('keystile', ['hono'])
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
      writeFileSync(join(folder, 'app.ts'), code)
      const running =
        name === 'workerd'
          ? await startBundle(name, code, folder, pageDate)
          : await startApp(name, folder, await freePort())
      t.after(() => running.stop())

      const claims = { iss: publisher.issuer, aud: 'https://orders.example', scope: 'orders:read' }
      const ask = (headers: readonly string[]): Promise<Received> =>
        clientOf(running.port).send({ path: '/orders', headers })
      const answer = await ask(['authorization', `Bearer ${accessTokenOf(key, claims)}`])
      assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { of: 'alice' }])
      const forged = accessTokenOf(generateKey('ES256'), claims)
      assert.equal((await ask(['authorization', `Bearer ${forged}`])).status, 401)
      assert.equal((await ask([])).status, 401)
    })
  }

  it('results.json contains what these tests found', () => {
    if (process.env['KEYSTILE_WRITE_RESULTS'])
      writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
    assert.deepEqual(
      readResults(),
      results,
      'run this test with KEYSTILE_WRITE_RESULTS=1, then tools/reference-pages.ts',
    )
  })
})

/** @param hasNoTime whether the runtime has no time while it loads a program */
function describeLoading(name: string, port: () => number, hasNoTime: boolean): void {
  it(`signJwt ${hasNoTime ? 'throws' : 'works'} while ${name} loads the program`, async () => {
    const { error } = await senderTo(clientOf(port()))('loading', {})
    if (hasNoTime) assert.match(String(error), /^a Worker cannot read the time while it loads/)
    else assert.equal(error, null)
  })

  it(`createTestIssuer makes tokens even while ${name} loads the program`, async () => {
    const client = clientOf(port())
    const { authorization } = await senderTo(client)('testing', {})
    const ask = (headers: readonly string[]): Promise<{ readonly status: number }> =>
      client.send({ path: '/testing', headers })
    assert.equal((await ask(['authorization', authorization])).status, 200)
    assert.equal((await ask(['authorization', `${authorization.slice(0, -5)}AAAAA`])).status, 401)
    assert.equal((await ask([])).status, 401)
  })

  it(`createAuthenticatorApp shows the code of RFC 6238 in ${name}`, async () => {
    const sent = { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', seconds: 59 }
    assert.equal(await senderTo(clientOf(port()))('code', sent), '287082')
  })
}

/** Returns the verdicts of a runtime about Wycheproof's vectors, and those of Node. */
async function judge(
  port: number,
): Promise<Readonly<Record<'verdicts' | 'expected', readonly Verdict[]>>> {
  const groupsOf = (file: string): readonly Group[] => {
    const path = join(import.meta.dirname, '../conformance/vectors/wycheproof', file)
    return JSON.parse(readFileSync(path, 'utf8')).testGroups
  }
  const signatures = groupsOf('json_web_signature_test.json')
  const keySets = groupsOf('json_web_key_test.json')
  const expected = [...judgeSignatures(signatures), ...judgeKeySets(keySets)]
  return {
    verdicts: await senderTo(clientOf(port))('wycheproof', { signatures, keySets }),
    expected,
  }
}

/**
 * Exchanges keys and tokens with a runtime. Returns what it cannot do, by the name of the
 * algorithm.
 */
async function findLacks(port: number): Promise<Results[string]['lacks']> {
  const send = senderTo(clientOf(port))
  const lacks: Record<string, readonly string[]> = {}
  for (const algorithm of algorithmNames) {
    const given = makeAlgorithmCase(algorithm)
    const { faults, tokens, members } = await send('algorithm', given)
    if (faults.length > 0) {
      lacks[algorithm] = faults
      continue
    }
    const own = tryAlgorithm(given)
    assert.deepEqual(own.faults, [])
    assert.deepEqual(members, own.members)
    assert.equal(tokens.length, own.tokens.length)
    for (const token of tokens)
      assert.equal(verifyJwt(token, importKey(given.privateJwk)).sub, 'ada')
  }
  return lacks
}

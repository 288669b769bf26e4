// Runs the library in Deno, Bun and workerd. Runs only with KEYSTILE_LONG=1: it downloads 100 MB.
// With KEYSTILE_WRITE_RESULTS=1 it also writes results.json, from which
// tools/reference-pages.ts makes the table of docs/reference/runtimes.md.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { importKey, verifyJwt } from 'keystile/jwt'
import { clientOf } from '../adapters/client.ts'
import { describeOpened, type Open, type Platform } from '../adapters/suite.ts'
import { judgeKeySets, judgeSignatures, type Group } from '../conformance/wycheproof.ts'
import { usePacked } from '../support/packed.ts'
import { makeAlgorithmCase } from './algorithm-cases.ts'
import { tryAlgorithm } from './algorithms.ts'
import { describeRemoteKeys } from './remote-keys.ts'
import { openIn, senderTo } from './remote-app.ts'
import { algorithmNames, resultsFile, type Results } from './results.ts'
import {
  installRuntimes,
  programFor,
  runtimeNames,
  startBundle,
  versionOf,
  type Running,
  type RuntimeName,
} from './runtimes.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

const platforms: Readonly<Record<RuntimeName, Platform>> = {
  deno: { closesUnread: true },
  bun: { refusesPipelining: true },
  workerd: { closesUnread: true },
}

describe('the library in other runtimes', { skip }, () => {
  const { app } = usePacked()
  const results: Record<string, Results[string]> = {}
  before(installRuntimes)

  for (const name of runtimeNames) {
    describe(`the library in ${name}`, () => {
      let running: Running
      before(async () => {
        running = await startBundle(name, programFor(name), app('keystile', ['hono']))
      })
      after(() => running.stop())
      const port = (): number => running.port

      const open = (framework: 'hono' | 'web'): Open => openIn(framework, port)
      const names = { route: '/items/new', inRouter: '/area/read' }
      describeOpened(`Hono in ${name}`, open('hono'), names, platforms[name])
      describeOpened(`web handlers in ${name}`, open('web'), undefined, platforms[name])
      describeRemoteKeys(name, port, name === 'workerd')
      describeTestIssuer(name, port)
      describeWycheproof(name, port)
      describeAlgorithms(name, port, (lacks) => {
        results[name] = { version: versionOf(name), lacks }
      })
    })
  }

  it('results.json says what the tests found', () => {
    if (process.env['KEYSTILE_WRITE_RESULTS'])
      writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
    assert.deepEqual(
      JSON.parse(readFileSync(resultsFile, 'utf8')),
      results,
      'run this test with KEYSTILE_WRITE_RESULTS=1, then tools/reference-pages.ts',
    )
  })
})

function describeTestIssuer(name: RuntimeName, port: () => number): void {
  it(`createTestIssuer, called while ${name} loads the program, makes tokens`, async () => {
    const client = clientOf(port())
    const { authorization } = await senderTo(client)('testing', {})
    const ask = (headers: readonly string[]): Promise<{ readonly status: number }> =>
      client.send({ path: '/testing', headers })
    assert.equal((await ask(['authorization', authorization])).status, 200)
    assert.equal((await ask(['authorization', `${authorization.slice(0, -5)}AAAAA`])).status, 401)
    assert.equal((await ask([])).status, 401)
  })
}

function describeWycheproof(name: RuntimeName, port: () => number): void {
  const groupsOf = (file: string): readonly Group[] => {
    const path = join(import.meta.dirname, '../conformance/vectors/wycheproof', file)
    return JSON.parse(readFileSync(path, 'utf8')).testGroups
  }
  it(`${name} gives the same verdicts and reasons as Node on all vectors of Wycheproof`, async () => {
    const signatures = groupsOf('json_web_signature_test.json')
    const keySets = groupsOf('json_web_key_test.json')
    const verdicts = await senderTo(clientOf(port()))('wycheproof', { signatures, keySets })
    const expected = [...judgeSignatures(signatures), ...judgeKeySets(keySets)]
    assert.equal(verdicts.length, 427)
    assert.deepEqual(verdicts, expected)
  })
}

/** @param tell gets what the runtime cannot do, by the name of the algorithm */
function describeAlgorithms(
  name: RuntimeName,
  port: () => number,
  tell: (lacks: Results[string]['lacks']) => void,
): void {
  it(`${name} and Node accept the keys and signatures of each other`, async () => {
    const send = senderTo(clientOf(port()))
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
    tell(lacks)
  })
}

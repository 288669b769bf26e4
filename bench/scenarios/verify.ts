// Measures how long the verification of a new token takes. All libraries run in one process and
// take turns: each verifies some tokens, then the next library does.
import assert from 'node:assert/strict'
import { withTemporaryFolder } from '../folder.ts'
import { changesOf } from '../guard-check.ts'
import { versionOf, versionsOf } from '../machine.ts'
import type { Effort } from '../measure.ts'
import type { Bar, Findings } from '../result.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'
import { bare } from '../verifiers/bare.ts'
import { ourVerifier, ourVerifyJwt } from '../verifiers/keystile.ts'
import {
  algorithms,
  makeMaterial,
  type Algorithm,
  type Contestant,
  type Material,
  type Verify,
} from '../verifiers/material.ts'
import { fastJwt, jose, jsonWebToken, peersFolder } from '../verifiers/peers.ts'
import { startPyJwt } from '../verifiers/pyjwt.ts'

/** Tokens that one library verifies before the next has its turn: a few milliseconds. */
const batchSize = 50
const pyJwt = 'PyJWT'

/** Microseconds a token in each round, by the name of the library. */
type Times = ReadonlyMap<string, readonly number[]>

export async function verify(effort: Effort): Promise<Findings> {
  const arePeersThere = versionOf('fast-jwt', peersFolder) !== undefined
  const skipped = new Set(
    arePeersThere ? [] : ['fast-jwt and jsonwebtoken are not installed: npm run bench:peers'],
  )
  const contestants = [
    bare,
    ourVerifyJwt,
    ourVerifier,
    jose,
    ...(arePeersThere ? [fastJwt, jsonWebToken] : []),
  ]
  const times = new Map<Algorithm, Times>()
  for (const algorithm of algorithms) {
    const material = makeMaterial(algorithm, effort.quick ? 2 * batchSize : 2_000)
    times.set(
      algorithm,
      await measureAlgorithm(material, contestants, effort, (reason) => skipped.add(reason)),
    )
  }
  const names = [...contestants.map(({ name }) => name), pyJwt]
  const ours = new Set(contestants.filter(({ isOurs }) => isOurs).map(({ name }) => name))
  const cell = (algorithm: Algorithm, name: string): Summary | null => {
    const measured = times.get(algorithm)!.get(name)
    return measured ? summarize(measured) : null
  }
  return {
    title: 'Verification',
    method:
      'Processor time for one of 2,000 different tokens, in µs, each verified for the first ' +
      'time. All except PyJWT run in one process in turns of 50 tokens. All demand issuer, ' +
      'audience, type and algorithm, except the bare one, which checks the signature and ' +
      'parses the two JSON texts.',
    versions: {
      ...versionsOf(['jose']),
      ...(arePeersThere && versionsOf(['fast-jwt', 'jsonwebtoken'], peersFolder)),
    },
    table: {
      columns: ['library', ...algorithms],
      rows: names
        .map((name) => ({ name, cells: algorithms.map((algorithm) => cell(algorithm, name)) }))
        .filter(({ cells }) => cells.some((cell) => cell !== null)),
    },
    bars: barsOf(times),
    skipped: [...skipped],
    plot: {
      title: 'Verifying a token for the first time',
      unit: 'µs of processor time, median and spread; less is better',
      groups: algorithms.map((algorithm) => ({
        name: algorithm,
        items: names.flatMap((name) => {
          const value = cell(algorithm, name)
          return value ? [{ name, value, isOurs: ours.has(name) }] : []
        }),
      })),
    },
  }
}

function barsOf(times: ReadonlyMap<Algorithm, Times>): readonly Bar[] {
  const pair = (
    algorithm: Algorithm,
    other: Contestant,
    combine: (ours: number, theirs: number) => number,
  ): number => {
    const measured = times.get(algorithm)!
    return summarizePairs(measured.get(ourVerifyJwt.name)!, measured.get(other.name)!, combine)
      .median
  }
  return [
    ...(['EdDSA', 'ES256'] as const).map((algorithm) => ({
      promise: `${algorithm}: verifyJwt ÷ bare node:crypto`,
      measured: pair(algorithm, bare, (ours, theirs) => ours / theirs),
      atMost: 1.15,
    })),
    {
      promise: 'RS256: verifyJwt − bare node:crypto, µs',
      measured: pair('RS256', bare, (ours, theirs) => ours - theirs),
      atMost: 5,
    },
    ...algorithms.map((algorithm) => ({
      promise: `${algorithm}: jose ÷ verifyJwt`,
      measured: pair(algorithm, jose, (ours, theirs) => theirs / ours),
      atLeast: 1.3,
    })),
  ]
}

async function measureAlgorithm(
  material: Material,
  contestants: readonly Contestant[],
  effort: Effort,
  skip: (reason: string) => void,
): Promise<Times> {
  for (const contestant of contestants) await checkRefusal(contestant, material)
  return withTemporaryFolder(async (folder) => {
    const python = await startPyJwt(material, folder)
    if (typeof python === 'string') skip(python)
    try {
      const times = new Map<string, number[]>()
      const add = (name: string, microseconds: number): void =>
        void times.set(name, [...(times.get(name) ?? []), microseconds])
      // The first round warms up.
      for (let round = -1; round < effort.rounds; round++) {
        const measured = await measureRound(material, contestants)
        if (typeof python !== 'string') measured.set(pyJwt, await python.round())
        if (round >= 0) for (const [name, microseconds] of measured) add(name, microseconds)
      }
      return times
    } finally {
      if (typeof python !== 'string') python.stop()
    }
  })
}

/** @throws {AssertionError} unless a good token is accepted and each change of it is refused */
async function checkRefusal({ name, prepare }: Contestant, material: Material): Promise<void> {
  const verify = await prepare(material)
  if (!verify) return
  const [token] = material.tokens
  await verify(token!)
  for (const changed of changesOf(`Bearer ${token!}`)) {
    const text = changed.slice('Bearer '.length)
    assert.equal(await isGood(verify, text), false, `${name} accepts ${text}`)
  }
}

async function isGood(verify: Verify, token: string): Promise<boolean> {
  try {
    await verify(token)
    return true
  } catch {
    return false
  }
}

/** Verifies every token once with every library. @returns microseconds a token */
async function measureRound(
  material: Material,
  contestants: readonly Contestant[],
): Promise<Map<string, number>> {
  const { tokens } = material
  const ready = []
  for (const { name, prepare } of contestants) {
    const verify = await prepare(material)
    if (verify) ready.push({ name, verify, microseconds: 0 })
  }
  for (let start = 0; start < tokens.length; start += batchSize) {
    const batch = tokens.slice(start, start + batchSize)
    for (const contestant of ready) {
      const { verify } = contestant
      const before = process.cpuUsage()
      for (const token of batch) {
        const result = verify(token)
        if (result instanceof Promise) await result
      }
      const { user, system } = process.cpuUsage(before)
      contestant.microseconds += user + system
    }
  }
  return new Map(ready.map(({ name, microseconds }) => [name, microseconds / tokens.length]))
}

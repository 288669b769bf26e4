import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HashThreads } from './hash-threads.ts'
import { watchHashThreads } from './watched-hash-threads.ts'

const password = Buffer.from('correct horse battery staple')

/** Threads that a test controls, and a clock. */
function createStage() {
  let hash: () => Promise<string> = async () => 'hash'
  let milliseconds = 1_000_000
  let asked = 0
  const told: number[] = []
  const jobs: unknown[][] = []
  const threads: HashThreads = {
    hash: (...job) => (asked++, jobs.push(job), hash()),
    verify: async (...job) => jobs.push(job) > 0,
    requireRoom: () => assert.fail('room must not be asked for'),
    async close() {},
  }
  return {
    watched: watchHashThreads(threads, {
      onHash: (seconds) => told.push(seconds),
      now: () => milliseconds,
    }),
    told,
    jobs,
    asked: () => asked,
    advance: (seconds: number) => void (milliseconds += seconds * 1000),
    hashBy: (by: () => Promise<string>) => void (hash = by),
  }
}

const fail = () => Promise.reject(new Error('a hash thread ended with exit code 1'))

describe('watchHashThreads', () => {
  it('watchHashThreads counts the waiting hashes and reports how long each hash took', async () => {
    const { watched, told, advance, hashBy } = createStage()
    const { promise, resolve } = Promise.withResolvers<string>()
    hashBy(() => promise)
    const hashes = [watched.hash(password), watched.hash(password)]
    assert.equal(watched.length, 2)
    advance(0.5)
    resolve('hash')
    assert.deepEqual(await Promise.all(hashes), ['hash', 'hash'])
    assert.deepEqual([watched.length, told], [0, [0.5, 0.5]])
  })

  it('watchHashThreads passes the IP address and the cost on to the hash threads', async () => {
    const { watched, jobs } = createStage()
    const parameters = { memory: 19_456, passes: 3, parallelism: 1 }
    await watched.hash(password, '192.0.2.1', parameters)
    await watched.verify(password, 'stored', '192.0.2.1')
    assert.deepEqual(jobs, [
      [password, '192.0.2.1', parameters],
      [password, 'stored', '192.0.2.1'],
    ])
  })

  it('watchHashThreads throws the error of a failed hash, and reports no duration', async () => {
    const { watched, told, hashBy } = createStage()
    hashBy(fail)
    await assert.rejects(watched.hash(password), /exit code 1/)
    assert.deepEqual([watched.length, told], [0, []])
  })

  it('after an hour without hashes, areWorking() is true and runs no test hash', async () => {
    const { watched, advance, asked } = createStage()
    await watched.hash(password)
    advance(3_600)
    assert.deepEqual([await watched.areWorking(), asked()], [true, 1])
  })

  it('after hashes have failed for 10 s, areWorking() is false until a hash succeeds', async () => {
    const { watched, advance, hashBy } = createStage()
    hashBy(fail)
    await assert.rejects(watched.hash(password))
    advance(9.9)
    assert.equal(await watched.areWorking(), true, 'too early to tell')
    advance(0.1)
    assert.equal(await watched.areWorking(), false)
    hashBy(async () => 'hash')
    assert.equal(await watched.areWorking(), true, 'known without a login')
  })

  it('areWorking() is true while some hashes fail and other hashes succeed', async () => {
    const { watched, advance, hashBy, asked } = createStage()
    for (let second = 0; second < 20; second++) {
      hashBy(fail)
      await assert.rejects(watched.hash(password))
      hashBy(async () => 'hash')
      await watched.hash(password)
      advance(1)
    }
    hashBy(fail)
    assert.deepEqual([await watched.areWorking(), asked()], [true, 40])
  })

  it('areWorking() is false if a hash takes 10 s; parallel calls share a test hash', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { watched, advance, hashBy, asked } = createStage()
    const { promise, resolve } = Promise.withResolvers<string>()
    hashBy(() => promise)
    const stuck = watched.hash(password)
    advance(10)
    const answers = Promise.all([watched.areWorking(), watched.areWorking()])
    t.mock.timers.tick(2_000)
    assert.deepEqual(await answers, [false, false])
    assert.equal(asked(), 2)
    resolve('hash')
    await stuck
    assert.equal(await watched.areWorking(), true)
  })
})

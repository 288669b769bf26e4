import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { describe, it, type TestContext } from 'node:test'
import type { ProblemError } from 'keystile/internal'
import { openPatientThreads } from '../../../../test-support/patient-threads.ts'
import { openHashThreads } from './hash-threads.ts'
import { createPasswords } from './password.ts'

// Hashes of 'correct horse battery staple', by libxcrypt 4.4.38 and passlib 1.7.4.
const bcrypt = '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'
const scrypt =
  '$scrypt$ln=7,r=8,p=2$H8NYa20NgTDG+L8XYgwBoA$jjx9hbzgI+GWTTfpX18bYWnZAh5w0sotR6q1aQIPxAg'
const cheap = { memory: 8, passes: 1, parallelism: 1 }

describe('openHashThreads', () => {
  it('hashing in a hash thread does not block the main thread', async () => {
    const threads = openPatientThreads()
    let turns = 0
    const spinning = setInterval(() => turns++, 0)
    const stored = await threads.hash(Buffer.from('secret'))
    clearInterval(spinning)
    assert.ok(turns > 0)
    assert.equal(await threads.verify(Buffer.from('secret'), stored), true)
    assert.equal(await threads.verify(Buffer.from('other'), stored), false)
    await threads.close()
  })

  it('close() of hash threads waits for running work, even if a thread is loading', async () => {
    const threads = openPatientThreads()
    const verifying = threads.verify(Buffer.from('correct horse battery staple'), bcrypt)
    await threads.close()
    assert.equal(await verifying, true)
  })

  it('a hash thread verifies bcrypt and scrypt hashes', async () => {
    const threads = openPatientThreads()
    for (const stored of [bcrypt, scrypt]) {
      assert.equal(await threads.verify(Buffer.from('correct horse battery staple'), stored), true)
      assert.equal(await threads.verify(Buffer.from('another'), stored), false)
    }
    await threads.close()
  })

  it('a hash thread loads the bcrypt library only when it gets its first bcrypt hash', () => {
    // Linux lists the files that a process has loaded.
    const module = JSON.stringify(new URL('hash-threads.ts', import.meta.url).href)
    const program = `import { readFileSync } from 'node:fs'
      import { openHashThreads } from ${module}
      const isLoaded = () => readFileSync('/proc/self/maps', 'utf8').includes('bcrypt')
      const threads = openHashThreads(1)
      await threads.verify(Buffer.from('x'), await threads.hash(Buffer.from('x')))
      const before = isLoaded()
      await threads.verify(Buffer.from('x'), ${JSON.stringify(bcrypt)})
      console.log(before, isLoaded())`
    const args = ['--conditions=source', '--input-type=module', '--eval', program]
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 600_000,
    })
    if (process.platform === 'linux') assert.equal(stdout, 'false true\n', stderr)
  })

  it('a hash thread can hash a password after it rejected an unknown kind of hash', async () => {
    const threads = openPatientThreads()
    await assert.rejects(
      threads.verify(Buffer.from('x'), 'no hash'),
      /must be an argon2id, scrypt or bcrypt hash/,
    )
    assert.match(await threads.hash(Buffer.from('x')), /^\$argon2id/)
    await threads.close()
  })

  it(
    'hash threads have a lower priority than the rest of the process',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const before = getPriority()
      if (before >= 10) return t.skip('the whole process has a low priority')
      const threads = openHashThreads(1)
      await threads.hash(Buffer.from('x'))
      // The 2nd field of stat is the name in parentheses, and the 19th is the nice value.
      const stats = readdirSync('/proc/self/task').map((id) =>
        readFileSync(`/proc/self/task/${id}/stat`, 'utf8'),
      )
      const niceOfHashThreads = stats
        .filter((stat) => stat.includes('(keystile-hash)'))
        .map((stat) => Number(stat.replace(/^.*\) /s, '').split(' ')[16]))
      assert.deepEqual([niceOfHashThreads, getPriority()], [[10], before])
      await threads.close()
    },
  )

  it('a job fails if its hash thread ends, and the next job gets a new thread', async () => {
    const threads = openPatientThreads()
    // The thread ends, because it cannot erase a password that is a string.
    const wrong = threads.hash('x' as unknown as Buffer, undefined, cheap)
    const next = threads.hash(Buffer.from('x'), undefined, cheap)
    await assert.rejects(wrong, { message: 'a hash thread ended with exit code 1' })
    assert.match(await next, /^\$argon2id/)
    await threads.close()
    await threads.close()
  })

  it('hash threads keep the process alive only while they work or end', () => {
    const module = JSON.stringify(new URL('hash-threads.ts', import.meta.url).href)
    const program = `import { openHashThreads } from ${module}
      const hash = (threads) =>
        threads.hash(Buffer.from('x'), undefined, ${JSON.stringify(cheap)})
      const [closed, busy, open] = [1, 1, 1].map((count) => openHashThreads(count))
      await hash(closed)
      await closed.close()
      const hashing = hash(busy)
      await busy.close()
      await hashing
      console.log(await hash(open))`
    const args = ['--conditions=source', '--input-type=module', '--eval', program]
    const { status, stdout } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 600_000,
    })
    assert.equal(status, 0)
    assert.match(stdout, /^\$argon2id/)
  })

  it('if hash threads are closed while they start, they refuse the waiting jobs', async () => {
    for (let i = 0; i < 5; i++) {
      const threads = openPatientThreads(2)
      const hashing = Array.from({ length: 3 }, () =>
        threads.hash(Buffer.from('x'), undefined, cheap).then(
          () => 'hashed',
          () => 'refused',
        ),
      )
      await threads.close()
      assert.equal((await Promise.all(hashing)).at(-1), 'refused')
      await assert.rejects(threads.hash(Buffer.from('x')), { code: 'temporarily_unavailable' })
    }
  })
})

describe('jobs in the hash queue', () => {
  /** Starts one thread, so that all jobs but the first wait. The test sets the clock. */
  const stage = (t: TestContext, count = 1) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let time = 1_000_000
    const threads = openHashThreads(count, () => time)
    const settled: string[] = []
    const errors: ProblemError[] = []
    const asked: Promise<void>[] = []
    const ask = (name: string, address?: string): void => {
      const settling = threads.hash(Buffer.from('x'), address, cheap).then(
        () => void settled.push(name),
        (error: ProblemError) => {
          settled.push(`${name} refused`)
          errors.push(error)
        },
      )
      asked.push(settling)
    }
    const askMany = (count: number, address?: string): void => {
      for (let n = 1; n <= count; n++) ask(`${address} ${n}`, address)
    }
    return {
      threads,
      settled,
      errors,
      ask,
      askMany,
      advance(milliseconds: number) {
        time += milliseconds
        t.mock.timers.tick(milliseconds)
      },
      end: () => Promise.all(asked),
    }
  }

  it('the hash queue serves IP addresses in turn: a flood delays no other address', async (t) => {
    const { ask, askMany, settled, end, threads } = stage(t)
    askMany(50, '192.0.2.1')
    ask('another', '192.0.2.2')
    ask('no address')
    ask('a third', '192.0.2.3')
    await end()
    // One job is in flight, and the rotation begins with the same address.
    assert.deepEqual(settled.slice(0, 5), [
      '192.0.2.1 1',
      '192.0.2.1 2',
      'another',
      'no address',
      'a third',
    ])
    assert.equal(settled.length, 53)
    await threads.close()
  })

  it('the hash queue treats all addresses in one IPv6 /64 as one sender', async (t) => {
    const { ask, settled, end, threads } = stage(t)
    for (let n = 1; n <= 10; n++) ask(`network ${n}`, `2001:db8::${n}`)
    ask('another', '2001:db8:0:1::1')
    await end()
    assert.equal(settled.indexOf('another'), 2)
    await threads.close()
  })

  it('the hash queue refuses a job with 503 when the job has waited exactly 2 s', async (t) => {
    const { askMany, advance, settled, errors, threads, end } = stage(t)
    askMany(3, '192.0.2.1')
    advance(1_500)
    askMany(2, '192.0.2.2')
    advance(499)
    await Promise.resolve()
    assert.deepEqual(settled, [])
    advance(1)
    await Promise.resolve()
    assert.deepEqual(settled, ['192.0.2.1 2 refused', '192.0.2.1 3 refused'])
    assert.equal(errors[0]!.code, 'temporarily_unavailable')
    assert.equal(errors[0]!.status, 503)
    advance(1_499)
    await Promise.resolve()
    assert.equal(settled.length, 2)
    advance(1)
    await Promise.resolve()
    assert.deepEqual(settled.slice(2), ['192.0.2.2 1 refused', '192.0.2.2 2 refused'])
    await end()
    await threads.close()
  })

  it('the hash queue starts no job that waited 2 s, even if the job’s timer is late', async (t) => {
    let time = 0
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const threads = openHashThreads(1, () => time)
    const first = threads.hash(Buffer.from('x'), undefined, cheap)
    const second = threads.hash(Buffer.from('x'), undefined, cheap)
    time = 2_000
    await first
    await assert.rejects(second, { code: 'temporarily_unavailable' })
    await threads.close()
  })

  it('the hash queue refuses a job at once if the job would wait longer than 2 s', async (t) => {
    const { askMany, ask, settled, errors, threads, end } = stage(t)
    // No hash was measured yet, so 20 ms are assumed. One job is in flight, and 100 wait.
    askMany(150, '192.0.2.1')
    ask('another', '192.0.2.2')
    await Promise.resolve()
    assert.equal(settled.length, 49)
    assert.ok(settled.every((name) => name.endsWith('refused')))
    assert.equal(errors[0]!.retryAfterSeconds, 2)
    assert.throws(() => threads.requireRoom('192.0.2.1'), { code: 'temporarily_unavailable' })
    assert.equal(threads.requireRoom('192.0.2.3'), 60)
    await end()
    assert.equal(threads.requireRoom('192.0.2.1'), 0)
    assert.ok(settled.indexOf('another') < 60, 'before most of the others')
    assert.equal(settled.filter((name) => !name.endsWith('refused')).length, 102)
    await threads.close()
  })

  it('the hash queue accepts a job that would wait exactly 2 s', async (t) => {
    const { askMany, settled, threads, end } = stage(t)
    askMany(100, '192.0.2.1')
    assert.equal(threads.requireRoom('192.0.2.1'), 2_000)
    await end()
    assert.equal(settled.length, 100)
    await threads.close()
  })

  it('with two hash threads, a job is expected to wait half as long', async (t) => {
    const { askMany, threads, end } = stage(t, 2)
    askMany(11) // nine of them wait
    assert.equal(threads.requireRoom(), 100)
    await end()
    await threads.close()
  })

  it('the hash queue accepts fewer jobs if hashes are slow', async (t) => {
    const { askMany, advance, settled, threads, end } = stage(t)
    askMany(1)
    advance(1_620) // the mean becomes 120 ms
    await end()
    askMany(30)
    await Promise.resolve()
    assert.equal(settled.length, 1 + 13, '16 wait, and one is in flight')
    await end()
    await threads.close()
  })

  it('a full hash queue evicts a job of the sender with the most jobs', async (t) => {
    const { askMany, ask, settled, threads, end } = stage(t)
    askMany(30) // the clock stands still
    await end()
    settled.length = 0
    askMany(502, '192.0.2.1')
    await Promise.resolve()
    assert.deepEqual(settled, ['192.0.2.1 502 refused'])
    ask('another', '192.0.2.2')
    await Promise.resolve()
    assert.deepEqual(settled.slice(1), ['192.0.2.1 501 refused'])
    const closed = threads.close()
    await end()
    assert.ok(settled.includes('another refused'), 'it waited until the end')
    await closed
  })

  it('the hash queue refuses the waiting jobs when the threads are closed', async (t) => {
    const { askMany, settled, errors, threads, end } = stage(t)
    askMany(3)
    await threads.close()
    await end()
    assert.deepEqual(settled.toSorted(), [
      'undefined 1',
      'undefined 2 refused',
      'undefined 3 refused',
    ])
    assert.equal(errors[0]!.message, 'The server is stopping')
    assert.equal(errors[0]!.retryAfterSeconds, 1)
  })
})

describe('createPasswords', () => {
  it('after an overload, passwords.verify still returns false for an unknown user', async () => {
    const threads = openHashThreads(1)
    const passwords = createPasswords(threads, { memoryKiB: 8, passes: 1 })
    const storm = Array.from({ length: 300 }, () => passwords.hash('x').catch(() => 'refused'))
    await passwords.verify('x', undefined).catch(() => {})
    await Promise.all(storm)
    assert.equal(await passwords.verify('x', undefined), false)
    await threads.close()
  })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { describe, it } from 'node:test'
import { openHashThreads } from './hash-threads.ts'
import { createPasswords } from './password.ts'

// Of 'correct horse battery staple', by libxcrypt 4.4.38 and passlib 1.7.4.
const bcrypt = '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'
const scrypt = '$scrypt$ln=7,r=8,p=2$H8NYa20NgTDG+L8XYgwBoA$jjx9hbzgI+GWTTfpX18bYWnZAh5w0sotR6q1aQIPxAg'

describe('openHashThreads', () => {
  it('hashes and verifies in other threads, so that this one goes on', async () => {
    const threads = openHashThreads(1)
    let turns = 0
    const spinning = setInterval(() => turns++, 0)
    const stored = await threads.hash(Buffer.from('secret'))
    clearInterval(spinning)
    assert.ok(turns > 0)
    assert.equal(await threads.verify(Buffer.from('secret'), stored), true)
    assert.equal(await threads.verify(Buffer.from('other'), stored), false)
    await threads.close()
  })

  it('ends only after what is under way, be it a library that is loaded', async () => {
    const threads = openHashThreads(1)
    const verifying = threads.verify(Buffer.from('correct horse battery staple'), bcrypt)
    await threads.close()
    assert.equal(await verifying, true)
  })

  it('verifies bcrypt and scrypt in them too', async () => {
    const threads = openHashThreads(1)
    for (const stored of [bcrypt, scrypt]) {
      assert.equal(await threads.verify(Buffer.from('correct horse battery staple'), stored), true)
      assert.equal(await threads.verify(Buffer.from('another'), stored), false)
    }
    await threads.close()
  })

  it('loads what verifies bcrypt at the first bcrypt hash that it meets', () => {
    // Linux names what a process has loaded.
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
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 })
    if (process.platform === 'linux') assert.equal(stdout, 'false true\n', stderr)
  })

  it('rejects what it cannot verify, and goes on', async () => {
    const threads = openHashThreads(1)
    await assert.rejects(threads.verify(Buffer.from('x'), 'no hash'), /none that can be verified/)
    assert.match(await threads.hash(Buffer.from('x')), /^\$argon2id/)
    await threads.close()
  })

  it('refuses with 503 when too many wait, and takes more when they are done', async () => {
    const threads = openHashThreads(1)
    const waiting = Array.from({ length: 202 }, () =>
      threads.hash(Buffer.from('x')).then(
        () => 'hashed',
        (error: { code: string }) => error.code,
      ),
    )
    const outcomes = await Promise.all(waiting)
    assert.equal(outcomes.filter((outcome) => outcome === 'hashed').length, 201)
    assert.equal(outcomes.at(-1), 'temporarily_unavailable')
    assert.match(await threads.hash(Buffer.from('x')), /^\$argon2id/)
    await threads.close()
  })

  it('hashes at a lower priority than the rest of the process', { skip: process.platform !== 'linux' }, async (t) => {
    const before = getPriority()
    if (before >= 10) return t.skip('the whole process has a low priority')
    const threads = openHashThreads(1)
    await threads.hash(Buffer.from('x'))
    // The 19th field of stat is the nice value; the second, a name in parentheses, may hold spaces.
    const nice = readdirSync('/proc/self/task').map((id) =>
      Number(
        readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[16],
      ),
    )
    assert.deepEqual([nice.filter((value) => value === 10).length, getPriority()], [1, before])
    await threads.close()
  })

  it('keeps no process alive when nothing is under way', () => {
    const module = JSON.stringify(new URL('hash-threads.ts', import.meta.url).href)
    const program = `import { openHashThreads } from ${module}
      console.log(await openHashThreads(1).hash(Buffer.from('x')))`
    const args = ['--conditions=source', '--input-type=module', '--eval', program]
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 })
    assert.equal(status, 0)
    assert.match(stdout, /^\$argon2id/)
  })

  it('says for how long it makes no sense to try again', async () => {
    const threads = openHashThreads(1)
    const errors: unknown[] = []
    const waiting = Array.from({ length: 202 }, () =>
      threads.hash(Buffer.from('x')).catch((error) => errors.push(error)),
    )
    await threads.close()
    await Promise.all(waiting)
    await threads.hash(Buffer.from('x')).catch((error) => errors.push(error))
    const seconds = errors.map((error) => (error as { retryAfterSeconds?: number }).retryAfterSeconds)
    assert.deepEqual([seconds[0], seconds.at(-1)], [2, 1])
  })

  it('ends at once when closed while it starts, with what waited refused', async () => {
    for (let i = 0; i < 5; i++) {
      const threads = openHashThreads(2)
      const hashing = Array.from({ length: 3 }, () =>
        threads.hash(Buffer.from('x')).then(
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

describe('createPasswords', () => {
  it('answers no, and never an error, for a login that does not exist while others storm', async () => {
    const threads = openHashThreads(1)
    const passwords = createPasswords(threads)
    const storm = Array.from({ length: 300 }, () => passwords.hash('x').catch(() => 'refused'))
    await passwords.verify('x', undefined).catch(() => {})
    await Promise.all(storm)
    assert.equal(await passwords.verify('x', undefined), false)
    await threads.close()
  })
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hashSync } from '@node-rs/bcrypt'
import { describeOnBoth, password } from '../../../../test-support/keystile.ts'

describeOnBoth(
  'hashPassword, verifyPassword and checkPassword',
  (stage) => {
    it('hashPassword uses the configured cost, and a login accepts the hash', async () => {
      const { keystile, addUser, writeHash, login } = await stage.start({
        passwordHashing: { memoryKiB: 12_288, passes: 3 },
      })
      const another = 'a battery of correct horses'
      const hash = await keystile.hashPassword(another)
      assert.match(hash, /^\$argon2id\$v=19\$m=12288,t=3,p=1\$/)
      assert.deepEqual(
        [
          await keystile.verifyPassword(another, hash),
          await keystile.verifyPassword(password, hash),
        ],
        [true, false],
      )
      await writeHash(await addUser(), hash)
      assert.equal((await login({ password: another })).status, 200)
    })

    it('verifyPassword accepts a bcrypt hash, and refuses passwords over 1,024 bytes', async () => {
      const { keystile } = await stage.start()
      const hash = hashSync(password, 4)
      assert.equal(await keystile.verifyPassword(password, hash), true)
      for (const stored of [undefined, null, '', 'plain', password])
        assert.equal(await keystile.verifyPassword(password, stored), false)
      assert.equal(await keystile.verifyPassword('x'.repeat(1_025), hash), false)
    })

    it('hashPassword does not block the event loop', async () => {
      const { keystile } = await stage.start({
        passwordHashing: { memoryKiB: 131_072, passes: 4 },
      })
      let hasHashed = false
      const hash = keystile.hashPassword(password).finally(() => (hasHashed = true))
      // If the event loop computed the hash, `hasHashed` would be true after the first
      // `setImmediate`.
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(hasHashed, false)
      assert.equal(await keystile.verifyPassword(password, await hash), true)
    })

    it('checkPassword demands `passwordMinLength`; its messages omit the password', async () => {
      const { keystile } = await stage.start({ passwordMinLength: 8 })
      const { checkPassword } = keystile
      assert.equal(checkPassword('zk4-tent'), undefined)
      for (const [bad, expected] of [
        ['zk4-ten', /at least 8 characters/],
        ['iloveyou', /one of the most common passwords/],
        ['x'.repeat(1_025), /at most 1024 bytes/],
        ['a countess of love', /should not contain your username/],
        ['a lovelace of love', /should not contain your e-mail address/],
        ['a localhost of love', /the name of this service/],
        ['a battery of \ud800', /well-formed Unicode/],
      ] as const) {
        const owner = { username: 'Countess', email: 'lovelace@example.com' }
        const fault = checkPassword(bad, owner)
        assert.match(fault ?? '', expected)
        assert.doesNotMatch(fault ?? '', /zk4|iloveyou|of love/)
      }
    })

    it('hashPassword refuses a non-string, and a string of more than 1,024 bytes', async () => {
      const { keystile } = await stage.start()
      await assert.rejects(keystile.hashPassword('x'.repeat(1_025)), {
        name: 'TypeError',
        message:
          'a password must have at most 1024 bytes; call checkPassword() before hashPassword()',
      })
      const nothing: unknown = undefined
      await assert.rejects(keystile.hashPassword(nothing as string), /must be a string/)
      await assert.rejects(keystile.verifyPassword(nothing as string, null), /must be a string/)
      assert.throws(() => keystile.checkPassword(nothing as string), /must be a string/)
    })
  },
  ['accounts', 'people'],
)

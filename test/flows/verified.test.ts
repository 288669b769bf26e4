// `guard({ verified: true })` on the object of `createKeystile`, with both kinds of users.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import {
  describeOnOne,
  password,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

/** Sends a request to a route behind `guard({ verified: true })`. */
async function ask({ keystile }: TestKeystile, bearer: string): Promise<readonly unknown[]> {
  const guard = createGuard(keystile)
  const app = new Hono().get('/', guard({ verified: true }), (c) => c.json({ code: 'admitted' }))
  const answer = await app.request('/', { headers: { authorization: `Bearer ${bearer}` } })
  const { code } = (await answer.json()) as { readonly code?: string }
  return [answer.status, code]
}

const refused = [403, 'email_not_verified']
const admitted = [200, 'admitted']

describeOnOne('PostgreSQL', 'guard({ verified: true })', (stage) => {
  it('guard({ verified: true }) admits a token once its user’s address is verified', async () => {
    const started = await stage.start()
    const bearer = await started.accessToken()
    assert.deepEqual(await ask(started, bearer), refused)
    await stage.sql('update "user" set email_verified_at = 1')
    // On PostgreSQL, the first instance may still use the cached row of the user.
    const other = await stage.start()
    assert.deepEqual(await ask(other, bearer), admitted)
    const { json } = await other.send('GET', '/users/me', { bearer })
    assert.equal(json['email_verified'], true)
  })

  it('guard({ verified: true }) refuses a token after its user changes the address', async () => {
    const started = await stage.start()
    const bearer = await started.accessToken()
    await stage.sql('update "user" set email_verified_at = 1')
    assert.deepEqual(await ask(started, bearer), admitted)
    const change = { current_password: password, new_email: 'countess@example.com' }
    await started.send('POST', '/users/me/email', { bearer, json: change })
    assert.deepEqual(await ask(started, bearer), refused)
  })
})

describeOnOne(
  'PostgreSQL',
  'guard({ verified: true })',
  (stage) => {
    it('guard({ verified: true }) refuses an app’s own users without emailVerified', async () => {
      const started = await stage.start()
      await started.addUser()
      const bearer = (await started.login()).json['access_token'] as string
      assert.deepEqual(await ask(started, bearer), refused)
    })

    it('guard({ verified: true }) admits an app’s own user with emailVerified: true', async () => {
      await stage.start()
      const { directory } = stage.people
      const users: typeof directory = {
        ...directory,
        async findBySubject(subject) {
          const person = await directory.findBySubject(subject)
          return person && { ...person, emailVerified: true }
        },
      }
      const started = await stage.start({ users } as object)
      await started.addUser()
      const bearer = (await started.login()).json['access_token'] as string
      assert.deepEqual(await ask(started, bearer), admitted)
    })
  },
  ['people'],
)

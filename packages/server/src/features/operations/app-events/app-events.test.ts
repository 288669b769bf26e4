import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Logger } from 'keystile/internal'
import * as z from 'zod'
import {
  createTestClock,
  describeOnBoth,
  password,
  type Stage,
  type TestKeystile,
} from '../../../../test-support/keystile.ts'
import type { AppEvent } from './app-event.ts'

const clock = createTestClock()

/** Starts Keystile, and collects the events that it passes to `onEvent`. */
async function startListening(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<{ readonly started: TestKeystile; readonly events: AppEvent[] }> {
  const events: AppEvent[] = []
  const onEvent = (event: AppEvent): void => void events.push(event)
  return { started: await stage.start({ clock, onEvent, ...options }), events }
}

const another = 'a battery of correct horses'

describeOnBoth('onEvent', (stage) => {
  it('onEvent is called for every change of an account, and gets the actor', async () => {
    const { started, events } = await startListening(stage, {
      profile: z.looseObject({}),
      scopes: { 'items:read': 'Read items' },
    })
    const { subject, accessToken: bearer, sessionId } = await started.tokens()
    const clientId = 'first-party'
    const own = `user:${subject}` as const
    const { users } = started.keystile
    assert.ok(users)

    await started.send('PATCH', '/users/me', { bearer, json: { city: 'London' } })
    const address = { current_password: password, new_email: 'ada@shop.example' }
    await started.send('POST', '/users/me/email', { bearer, json: address })
    const change = { current_password: password, new_password: another }
    await started.send('POST', '/users/me/password', { bearer, json: change })
    await users.grant(subject, { scopes: ['items:read'] })
    await users.disable(subject)
    await users.enable(subject)
    await users.delete(subject)

    const at = new Date(clock.now())
    assert.deepEqual(events, [
      { type: 'registered', subject, actor: 'nobody', at },
      { type: 'logged_in', subject, sessionId, clientId, actor: own, at },
      { type: 'changed', what: 'profile', subject, actor: own, at },
      { type: 'changed', what: 'email', subject, actor: own, at },
      { type: 'changed', what: 'password', subject, actor: own, at },
      { type: 'changed', what: 'rights', subject, actor: 'app', at },
      { type: 'session_ended', subject, sessionId, clientId, at },
      { type: 'disabled', subject, actor: 'app', at },
      { type: 'enabled', subject, actor: 'app', at },
      { type: 'deleted', subject, actor: 'app', at },
    ])
  })

  it('onEvent is not called for a request that changes nothing', async () => {
    const { started, events } = await startListening(stage)
    const { subject } = await started.tokens()
    const { users } = started.keystile
    assert.ok(users)
    await started.register()
    await started.login({ password: 'a guess' })
    await users.enable(subject)
    await users.grant(subject, { scopes: ['users:read'], removeScopes: ['users:read'] })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['registered', 'logged_in'],
    )
  })

  it('a password change calls onEvent for every session except the caller’s', async () => {
    const { started, events } = await startListening(stage)
    const [one, two, three] = [
      await started.tokens(),
      await started.tokens(),
      await started.tokens(),
    ]
    await started.send('POST', '/users/me/password', {
      bearer: two.accessToken,
      json: { current_password: password, new_password: another },
    })
    const ended = events.flatMap((event) =>
      event.type === 'session_ended' ? [event.sessionId] : [],
    )
    assert.deepEqual(ended.toSorted(), [one.sessionId, three.sessionId].toSorted())
  })

  it('onEvent is called once for each event of its process, and for no other event', async () => {
    const here = await startListening(stage)
    const there = await startListening(stage)
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        here.started.register({ username: `user${i}`, email: `user${i}@example.com` }),
      ),
    )
    const subjects = new Set(here.events.map(({ subject }) => subject))
    assert.deepEqual([here.events.length, subjects.size], [5, 5])
    assert.deepEqual(there.events, [])
  })

  it('a request succeeds even if onEvent throws or rejects, and the error is logged', async () => {
    const errors: object[] = []
    const error = (fields: object): void => void errors.push(fields)
    const logger: Logger = { debug() {}, info() {}, warn() {}, error }
    const thrown = new Error('the mail server is away')
    const { started } = await startListening(stage, {
      logger,
      onEvent(event) {
        if (event.type === 'registered') throw thrown
        return Promise.reject(thrown)
      },
    })
    await started.tokens()
    assert.deepEqual(errors, [
      { err: thrown, event: 'registered' },
      { err: thrown, event: 'logged_in' },
    ])
  })

  it('createKeystile refuses a string as the option onEvent', async () => {
    const onEvent: unknown = 'log'
    await assert.rejects(
      stage.start({ onEvent: onEvent as () => void }),
      /onEvent must be a function/,
    )
  })
})

describeOnBoth(
  'onEvent of an app with its own users',
  (stage) => {
    it('onEvent is called for logins and ended sessions of an app’s own users', async () => {
      const { started, events } = await startListening(stage)
      const { subject, sessionId } = await started.tokens()
      await started.keystile.sessions.create({ subject })
      await started.keystile.sessions.revoke(sessionId)
      assert.deepEqual(
        events.map((event) => [event.type, 'actor' in event && event.actor]),
        [
          ['logged_in', `user:${subject}`],
          ['logged_in', 'app'],
          ['session_ended', false],
        ],
      )
      assert.ok(events.every((event) => event.subject === subject))
    })
  },
  ['people'],
)

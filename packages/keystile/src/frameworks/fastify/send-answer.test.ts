import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { AnswerStream } from '../../http/message.ts'
import { mount } from './guard.ts'

describe('the answers of mount() for Fastify', () => {
  it('a Fastify app sees no error if the client leaves while mount() sends a stream', async (t) => {
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>()
    const stream: AnswerStream = new ReadableStream({ cancel })
    const errors: unknown[] = []
    const app = Fastify().setErrorHandler((error) => errors.push(error))
    await app.register(mount({ answer: async () => ({ status: 200, headers: {}, stream }) }))
    t.after(() => app.close())
    const leaving = new AbortController()
    await fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { signal: leaving.signal })
    leaving.abort()
    await cancelled
    await turn()
    assert.deepEqual(errors, [])
  })
})

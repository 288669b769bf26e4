import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProblemError } from '../../base/errors.ts'
import { createGuardCore, type GuardOptions } from '../../guard/guard.ts'
import type { UserObject } from '../../guard/user.ts'
import type { HttpRequest } from '../../http/message.ts'
import { problemAnswer } from '../../http/problem.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import type { Mountable } from '../mountable.ts'
import { readCheckedRequest, readNodeRequest, writeAnswer } from './node-request.ts'

/**
 * Answers a request, or calls `next` when it may go on; the promise is that of `next`. It never
 * rejects.
 */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => unknown,
) => Promise<void>

/** Guards of node:http handlers. */
export interface Guard<S extends string, U> extends AssembledGuard<
  S,
  U,
  NodeMiddleware,
  IncomingMessage,
  IncomingMessage | HttpRequest
> {}

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  return assembleGuard(
    core,
    (demand): NodeMiddleware =>
      (request, response, next) => {
        const read = readNodeRequest(request)
        if (core.enterAtOnce(request, read, demand)) return unlessBroken(response, next)
        return unlessBroken(response, async () => {
          const decision = await core.enter(request, read, demand)
          if (!decision.allowed) return writeAnswer(response, decision.answer)
          await next()
        })
      },
    readCheckedRequest,
  )
}

/**
 * Answers Keystile's own endpoints in a node:http server, and calls `next` for every other request.
 * Use it before any handler of your own, whatever path the issuer has.
 */
export function mount(keystile: Mountable): NodeMiddleware {
  return (request, response, next) =>
    unlessBroken(response, async () => {
      const answer = await keystile.answer(readNodeRequest(request))
      if (answer) writeAnswer(response, answer)
      else await next()
    })
}

/**
 * node:http hears nothing of a rejected promise, and one that nobody hears of ends the process. So
 * what the app's own `user` or handler throws is printed, and answered with 500. It is never passed
 * to `next`, which would let the request in.
 */
function unlessBroken(response: ServerResponse, work: () => unknown): Promise<void> {
  try {
    const working = work()
    return working instanceof Promise
      ? working.then(undefined, (error) => answerBug(response, error))
      : done
  } catch (error) {
    answerBug(response, error)
    return done
  }
}

const done: Promise<void> = Promise.resolve()

function answerBug(response: ServerResponse, error: unknown): void {
  console.error(error)
  if (response.headersSent) response.destroy()
  else
    writeAnswer(
      response,
      problemAnswer(new ProblemError('internal_server_error', 'Internal error')),
    )
}

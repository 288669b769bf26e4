import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProblemError } from '../../base/errors.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import type { HttpRequest } from '../../http/message.ts'
import { problemAnswer } from '../../http/problem.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import { acceptMountable, type Mountable } from '../mountable.ts'
import { writeAnswer } from './node-answer.ts'
import { readCheckedRequest, readNodeHead, readNodeRequest } from './node-request.ts'

/**
 * Calls `next` if the guard admits the request. Otherwise answers the request. The promise resolves
 * when `next` has finished, and never rejects.
 */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => unknown,
) => Promise<void>

/** Guards for node:http handlers. The handler calls `guard.caller(request)`. */
export interface Guard<S extends string, U, T extends TokenType = 'at+jwt'> extends AssembledGuard<
  S,
  U,
  T,
  NodeMiddleware,
  IncomingMessage,
  IncomingMessage | HttpRequest
> {}

/**
 * Creates the guards of an app from a verifier, or from the object of `createKeystile`.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
  T extends TokenType = 'at+jwt',
>(options: GuardOptions<S, U, T>): Guard<S, U, T> {
  const core = createGuardCore(options)
  return assembleGuard(
    core,
    (demand): NodeMiddleware =>
      (request, response, next) => {
        const read = readNodeHead(request)
        if (core.enterAtOnce(request, read, demand)) return answerErrors(response, next)

        return answerErrors(response, async () => {
          const decision = await core.enter(request, read, demand)
          if (!decision.allowed) return writeAnswer(response, decision.answer)
          await next()
        })
      },
    readCheckedRequest,
  )
}

/**
 * Creates middleware that answers requests to Keystile's own endpoints, or to the metadata of
 * `protectedResource`, and calls `next` for all other requests. Call the middleware before your own
 * handlers and for every path: the middleware itself picks the requests that it answers.
 */
export function mount(mountable: Mountable): NodeMiddleware {
  acceptMountable(mountable)
  return (request, response, next) =>
    answerErrors(response, async () => {
      const answer = await mountable.answer(readNodeRequest(request))
      if (answer) writeAnswer(response, answer)
      else await next()
    })
}

/**
 * Runs `work`. If `work` throws or rejects, prints the error and answers 500. Otherwise one bad
 * request could stop the server: node:http does not handle a rejected promise, and an unhandled
 * rejection ends the process. The error never goes to `next`, because a call of `next` admits the
 * request.
 */
function answerErrors(response: ServerResponse, work: () => unknown): Promise<void> {
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

/** A resolved promise that all requests share, so that synchronous work creates no promise. */
const done: Promise<void> = Promise.resolve()

/** Prints an error of the app, and answers 500. The answer contains no detail of the error. */
function answerBug(response: ServerResponse, error: unknown): void {
  console.error(error)
  // The answer has begun and cannot become a 500. Closing the connection shows the client that the
  // answer is incomplete.
  if (response.headersSent) {
    response.destroy()
    return
  }
  writeAnswer(response, problemAnswer(new ProblemError('internal_server_error', 'Internal error')))
}

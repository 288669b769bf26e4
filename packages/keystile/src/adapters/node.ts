import type { IncomingMessage, ServerResponse } from 'node:http'
import { tooLarge, type HttpAnswer, type HttpRequest, type HttpRequestWithBody } from '../http/message.ts'
import { problemAnswer } from '../http/problem.ts'
import {
  createGuardCore,
  requireCaller,
  withMembers,
  type Caller,
  type Decision,
  type DemandArguments,
  type GuardOptions,
} from '../guard/guard.ts'
import type { Mountable } from './mountable.ts'
import { ProblemError } from '../base/errors.ts'

/** Answers, or calls `next` when the request may go on. */
export type NodeMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => unknown) => Promise<void>

/** Guards of node:http handlers, and of anything that takes `(request, response, next)`. */
export interface Guard<S extends string, U> {
  /** Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws {TypeError} for a wrong demand */
  (...demand: DemandArguments<S>): NodeMiddleware
  /** The same, and requests without a credential. A credential that is wrong is still refused. */
  readonly optional: {
    (...demand: DemandArguments<S>): NodeMiddleware
    /** @throws {TypeError} where no guard ran */
    caller(request: IncomingMessage): Caller<S, U> | undefined
  }
  /** Decides without a route: for an upgrade to a WebSocket, say. Takes a node request or anything with `headers.get`. */
  check(request: IncomingMessage | HttpRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(request: IncomingMessage): Caller<S, U>
}

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<S extends string = string, U = undefined>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  const middleware = (args: DemandArguments<S>, optional: boolean): NodeMiddleware => {
    const demand = core.demand(args, optional)
    const checked: NodeMiddleware = (request, response, next) =>
      unlessBroken(response, async () => {
        const decision = await core.check(readNodeRequest(request), demand)
        if (!decision.allowed) return writeAnswer(response, decision.answer)
        core.admit(request, decision.caller)
        await next()
      })
    return (request, response, next) => {
      const known = core.admitAtOnce(readNodeRequest(request), demand)
      if (!known) return checked(request, response, next)
      core.admit(request, known)
      return unlessBroken(response, next)
    }
  }
  const guard = (...demand: DemandArguments<S>): NodeMiddleware => middleware(demand, false)
  const optional = (...demand: DemandArguments<S>): NodeMiddleware => middleware(demand, true)
  return withMembers(guard, {
    optional: withMembers(optional, { caller: (request: IncomingMessage) => core.callerOf(request) }),
    check: (request: IncomingMessage | HttpRequest, ...demand: DemandArguments<S>) =>
      core.check('rawHeaders' in request ? readNodeRequest(request) : request, core.demand(demand, false)),
    caller: (request: IncomingMessage) => requireCaller(core, request),
  })
}

/**
 * Answers Keystile's own endpoints in a node:http server, and calls `next` for every other request. Use it before any
 * handler of your own, whatever path the issuer has.
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
 * node:http hears nothing of a rejected promise, and one that nobody hears of ends the process. So what the app's own
 * `user` or handler throws is printed, and answered with 500. It is never passed to `next`, which would let the request in.
 */
function unlessBroken(response: ServerResponse, work: () => unknown): Promise<void> {
  try {
    const working = work()
    return working instanceof Promise ? working.then(undefined, (error) => answerBug(response, error)) : done
  } catch (error) {
    answerBug(response, error)
    return done
  }
}

const done: Promise<void> = Promise.resolve()

function answerBug(response: ServerResponse, error: unknown): void {
  console.error(error)
  if (response.headersSent) response.destroy()
  else writeAnswer(response, problemAnswer(new ProblemError('internal_server_error', 'Internal error')))
}

/** A node request in our words. */
export function readNodeRequest(request: IncomingMessage): HttpRequestWithBody {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: {
      get: (name) => (name === 'authorization' ? authorizationOf(request) : request.headers[name]?.toString()),
    },
    body: (maxBytes) => readBody(request, maxBytes),
  }
}

/** Node keeps the first of two `Authorization` fields and drops the second unseen: join them, as other servers do. */
function authorizationOf(request: IncomingMessage): string | undefined {
  const { rawHeaders } = request
  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length === 13 && rawHeaders[i]!.toLowerCase() === 'authorization') {
      found = found === undefined ? rawHeaders[i + 1]! : `${found}, ${rawHeaders[i + 1]!}`
    }
  }
  return found
}

/**
 * Listens instead of iterating: leaving an iteration early destroys the socket, and with it the answer that says why.
 *
 * @throws {ProblemError} `content_too_large`, or `bad_request` when the sender goes away
 * @throws {TypeError} when the body was read before: there will be no event to wait for
 */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (request.readableEnded) throw new TypeError('the body was read before: mount Keystile before any body parser')
    if (request.destroyed) throw new ProblemError('bad_request', 'The body ended early')
    const parts: Uint8Array[] = []
    let length = 0
    const onData = (chunk: Uint8Array): void => {
      length += chunk.length
      parts.push(chunk)
      if (length > maxBytes) {
        request.off('data', onData).pause()
        reject(tooLarge(maxBytes))
      }
    }
    request.on('data', onData)
    request.once('end', () => resolve(Buffer.concat(parts)))
    request.once('close', () => reject(new ProblemError('bad_request', 'The body ended early')))
    request.once('error', () => reject(new ProblemError('bad_request', 'The body ended early')))
  })
}

export function writeAnswer(response: ServerResponse, { status, headers, body = '' }: HttpAnswer): void {
  // What is left of a body that was too large is not read, so the connection cannot serve another request.
  const connection = status === 413 ? { connection: 'close' } : {}
  response.writeHead(status, { ...headers, ...connection, 'content-length': Buffer.byteLength(body) }).end(body)
}

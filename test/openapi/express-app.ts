import { once } from 'node:events'
import {
  Agent,
  createServer,
  request as sendRequest,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Verifier } from 'keystile'
import { createGuard } from 'keystile/express'
import {
  guardOf,
  routeHeader,
  scopes,
  templateOf,
  writePath,
  type BuiltApp,
  type FunctionPlan,
  type Plan,
  type RealAnswer,
  type RouteStep,
  type Segment,
  type Step,
  type Traits,
} from './plans.ts'

export const expressTraits: Traits = {
  patterns: false,
  impliedHead: true,
  ownHead: true,
  routers: true,
  rest: true,
  behind: true,
  onlyFirst: false,
}
export const express4Traits: Traits = { ...expressTraits, patterns: true }

type Middleware = express.RequestHandler

export function buildExpress(
  make: typeof express,
  plan: Plan,
  verifier: Verifier,
  sockets: Sockets,
): BuiltApp {
  const guard = createGuard({ verifier, scopes })
  const write = (path: readonly Segment[], offset: number): string =>
    writePath(path, offset, (name, pattern) => (pattern ? `:${name}(${pattern})` : `:${name}`))
  const middlewareOf = (fn: FunctionPlan): Middleware => {
    if (fn.kind !== 'passing') return guardOf<Middleware>(guard as never, fn)
    if (fn.style === 'plain') return (_request, _response, next) => next()
    if (fn.style === 'async') return async (_request, _response, next) => next()
    return ((...all: Parameters<Middleware>) => all[2]()) as Middleware
  }
  const handlerOf = ({ takes, behind }: RouteStep, template: string): Middleware => {
    const answer = (response: express.Response): void =>
      void response.type('text/plain').set(routeHeader, template).end('ok')
    if (behind.length > 0 || takes === 'needed') return (_request, response) => answer(response)
    if (takes === 'next') return (_request, response, _next) => answer(response)
    return ((...all: Parameters<Middleware>) => answer(all[1])) as Middleware
  }
  const onError: express.ErrorRequestHandler = (_error, _request, response, _next) =>
    void response.status(418).end('failed')
  const fill = (
    router: express.Router,
    steps: readonly Step[],
    prefix: readonly Segment[],
  ): void => {
    for (const step of steps) {
      const path = write(step.path, prefix.length)
      const functions = step.functions.map(middlewareOf)
      if (step.kind === 'use') {
        if (step.exact) {
          // `secure` assumes that the last function of a route answers, unless it is a guard.
          const guards = step.functions.filter(({ kind }) => kind !== 'passing').map(middlewareOf)
          if (guards.length > 0) router.all(path || '/', ...guards)
        } else if (path === '') router.use(...functions)
        else router.use(path, functions)
      } else if (step.kind === 'route') {
        const template = templateOf([...prefix, ...step.path])
        const handler = handlerOf(step, template)
        const behind = step.behind.map(middlewareOf)
        if (step.methods === 'all') router.all(path || '/', ...functions, handler, ...behind)
        else if (step.chained) {
          const route = router.route(path || '/')
          if (functions.length > 0) route.all(functions)
          for (const method of step.methods) route[method](handler, ...behind)
        } else
          for (const method of step.methods)
            router[method](path || '/', functions, handler, ...behind)
      } else {
        const inner = make.Router()
        fill(inner, step.steps, [...prefix, ...step.path])
        if (step.handlesErrors) inner.use(onError)
        router.use(path || '/', ...functions, inner)
      }
    }
  }
  const app = make()
  fill(app, plan.steps, [])
  if (plan.handlesErrors) app.use(onError)
  return { app, request: (...asked) => sockets.request(app as RequestListener, ...asked) }
}

/** One server for all apps, and connections that stay open. */
export interface Sockets {
  request(
    app: RequestListener,
    method: string,
    path: string,
    authorization: string | undefined,
  ): Promise<RealAnswer>
  close(): Promise<unknown>
}

export async function openSockets(): Promise<Sockets> {
  let current: RequestListener | undefined
  const server: Server = createServer((request, response) => current!(request, response))
  // Keeps connections open while other frameworks are tested.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  return {
    request(app, method, path, authorization) {
      current = app
      return new Promise((resolve, reject) => {
        const headers = authorization === undefined ? {} : { authorization }
        const sent = sendRequest(
          { agent, port, host: '127.0.0.1', method: method.toUpperCase(), path, headers },
          (response) => {
            response.resume()
            response.once('end', () => {
              const fields = Object.entries(response.headersDistinct).flatMap(([name, all]) =>
                (all ?? []).map((value): [string, string] => [name, value]),
              )
              resolve({ status: response.statusCode!, headers: new Headers(fields) })
            })
          },
        )
        sent.once('error', reject)
        sent.end()
      })
    },
    async close() {
      agent.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

import Fastify, { type FastifyInstance, type onRequestHookHandler } from 'fastify'
import type { Verifier } from 'keystile'
import { createGuard, documentRoutes } from 'keystile/fastify'
import {
  guardOf,
  methods,
  routeHeader,
  scopes,
  templateOf,
  writePath,
  type BuiltApp,
  type FunctionPlan,
  type Method,
  type Plan,
  type Segment,
  type Step,
  type Traits,
} from './plans.ts'

export const fastifyTraits: Traits = {
  patterns: true,
  impliedHead: true,
  ownHead: true,
  routers: true,
  rest: false,
  behind: false,
  onlyFirst: true,
}

const phases = ['onRequest', 'preValidation', 'preHandler'] as const

const write = (path: readonly Segment[], offset: number): string =>
  writePath(path, offset, (name, pattern) => (pattern ? `:${name}(^${pattern}$)` : `:${name}`))

export async function buildFastify(plan: Plan, verifier: Verifier): Promise<BuiltApp> {
  const guard = createGuard({ verifier, scopes })
  const hookOf = (fn: FunctionPlan): onRequestHookHandler => {
    if (fn.kind !== 'passing') return guardOf<onRequestHookHandler>(guard, fn)
    return fn.style === 'async' ? async () => {} : (_request, _reply, done) => done()
  }
  /** Fastify refuses a second route that differs only in names or patterns of parameters. */
  const taken = new Set<string>()
  const takeMethods = (wanted: readonly Method[], template: string): Method[] => {
    const shape = template.replace(/\{\w+\}/g, '{}')
    const free = wanted.filter((method) => !taken.has(`${method} ${shape}`))
    for (const method of free) taken.add(`${method} ${shape}`)
    if (free.includes('get')) taken.add(`head ${shape}`)
    return free
  }
  const fill = async (
    app: FastifyInstance,
    steps: readonly Step[],
    prefix: readonly Segment[],
  ): Promise<void> => {
    for (const step of steps) {
      const path = write(step.path, prefix.length)
      if (step.kind === 'use') {
        for (const fn of step.functions) app.addHook(phases[fn.phase] as 'onRequest', hookOf(fn))
      } else if (step.kind === 'route') {
        const template = templateOf([...prefix, ...step.path])
        const free = takeMethods(step.methods === 'all' ? methods : step.methods, template)
        if (free.length === 0) continue
        const hooks = Object.fromEntries(
          phases.map((phase, index) => [
            phase,
            step.functions.filter((fn) => fn.phase === index).map(hookOf),
          ]),
        )
        app.route({
          // Fastify adds HEAD to a GET that has none.
          method: free.map((method) => method.toUpperCase()),
          url: path || '/',
          ...hooks,
          handler: (_request, reply) =>
            reply.header(routeHeader, template).type('text/plain').send('ok'),
        })
      } else {
        await app.register(
          async (inner) => {
            if (step.handlesErrors)
              inner.setErrorHandler((_error, _request, reply) => reply.code(418).send('failed'))
            for (const fn of step.functions)
              inner.addHook(phases[fn.phase] as 'onRequest', hookOf(fn))
            await fill(inner, step.steps, [...prefix, ...step.path])
          },
          { prefix: path },
        )
      }
    }
  }
  const app = Fastify()
  if (plan.handlesErrors)
    app.setErrorHandler((_error, _request, reply) => reply.code(418).send('failed'))
  await app.register(documentRoutes)
  await fill(app, plan.steps, [])
  await app.ready()
  return {
    app,
    async request(method, url, authorization) {
      const headers = authorization === undefined ? {} : { authorization }
      const answer = await app.inject({ method: method.toUpperCase() as 'GET', url, headers })
      const fields = Object.entries(answer.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ])
      return { status: answer.statusCode, headers: new Headers(fields) }
    },
    close: () => app.close(),
  }
}

import { Hono, type Context, type Handler, type MiddlewareHandler, type Next } from 'hono'
import type { Verifier } from 'keystile'
import { createGuard } from 'keystile/hono'
import {
  guardOf,
  routeHeader,
  scopes,
  templateOf,
  writePath,
  type BuiltApp,
  type FunctionPlan,
  type Plan,
  type RouteStep,
  type Segment,
  type Step,
  type Traits,
} from './plans.ts'

export const honoTraits: Traits = {
  patterns: true,
  impliedHead: true,
  ownHead: false,
  routers: true,
  rest: false,
  behind: true,
  onlyFirst: false,
}

const write = (path: readonly Segment[], offset: number): string =>
  writePath(path, offset, (name, pattern) => (pattern ? `:${name}{${pattern}}` : `:${name}`))

export function buildHono(plan: Plan, verifier: Verifier): BuiltApp {
  const guard = createGuard({ verifier, scopes })
  const middlewareOf = (fn: FunctionPlan): MiddlewareHandler => {
    if (fn.kind !== 'passing') return guardOf<MiddlewareHandler>(guard as never, fn)
    return fn.style === 'async' ? async (_c, next) => await next() : (_c, next) => next()
  }
  const named = namesOf(plan.steps, [])
  /**
   * Makes the handler of a route. Only the last handler of a route may have no parameters or take
   * `next` as well: `secure` can then know that it answers.
   */
  const handlerOf = ({ takes, methods, behind }: RouteStep, template: string): Handler => {
    const answer = (): Response =>
      new Response('ok', { headers: { [routeHeader]: template, 'content-type': 'text/plain' } })
    // Hono treats two equal routes in a row like one route that has the functions of both.
    const isAlone = (method: string): boolean =>
      named.indexOf(`${method} ${template}`) === named.lastIndexOf(`${method} ${template}`)
    const isLast = methods !== 'all' && behind.length === 0 && methods.every(isAlone)
    if (isLast && takes === 'nothing') return answer
    if (isLast && takes === 'next') return (_c: Context, _next: Next) => answer()
    return (_c: Context) => answer()
  }
  const fill = (app: Hono, steps: readonly Step[], prefix: readonly Segment[]): Hono => {
    for (const step of steps) {
      const path = write(step.path, prefix.length)
      const functions = step.functions.map(middlewareOf)
      if (step.kind === 'use') {
        if (step.path.length === 0 && !step.exact) app.use(...functions)
        else app.use(step.exact ? path || '/' : `${path}/*`, ...functions)
      } else if (step.kind === 'route') {
        const template = templateOf([...prefix, ...step.path])
        const handler = handlerOf(step, template)
        const behind = step.behind.map(middlewareOf)
        const all = [...functions, handler, ...behind]
        if (step.methods === 'all') app.all(path || '/', ...(all as [Handler]))
        else
          app.on(
            step.methods.map((method) => method.toUpperCase()),
            [path || '/'],
            ...all,
          )
      } else {
        if (functions.length > 0) app.use(`${path}/*`, ...functions)
        const whole = [...prefix, ...step.path]
        if (step.based) fill(app.basePath(path || '/'), step.steps, whole)
        else {
          const router = fill(new Hono(), step.steps, whole)
          if (step.handlesErrors) router.onError((_error, c) => c.text('failed', 418 as never))
          app.route(path || '/', router)
        }
      }
    }
    return app
  }
  const app = fill(new Hono(), plan.steps, [])
  if (plan.handlesErrors) app.onError((_error, c) => c.text('failed', 418 as never))
  return {
    app,
    request: async (method, path, authorization) =>
      app.request(path, {
        method: method.toUpperCase(),
        headers: authorization === undefined ? {} : { authorization },
      }),
  }
}

function namesOf(steps: readonly Step[], prefix: readonly Segment[]): readonly string[] {
  return steps.flatMap((step) => {
    const path = [...prefix, ...step.path]
    if (step.kind === 'router') return namesOf(step.steps, path)
    if (step.kind === 'use' || step.methods === 'all') return []
    return step.methods.map((method) => `${method} ${templateOf(path)}`)
  })
}

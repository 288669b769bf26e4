// An app over node:http with its own routing, which `secure` reads through a function.
import type { RequestListener } from 'node:http'
import type { Verifier } from 'keystile'
import { createGuard, type NodeMiddleware } from 'keystile/node'
import type { GuardFinder } from 'keystile/openapi'
import type { Sockets } from './express-app.ts'
import {
  guardOf,
  nameSegments,
  routeHeader,
  scopes,
  templateOf,
  type BuiltApp,
  type FunctionPlan,
  type Plan,
  type Segment,
  type Step,
  type Traits,
} from './plans.ts'

export const finderTraits: Traits = {
  patterns: true,
  impliedHead: false,
  ownHead: true,
  routers: true,
  rest: false,
  behind: false,
  onlyFirst: false,
}

interface Entry {
  readonly path: readonly Segment[]
  readonly isPrefix: boolean
  readonly methods: readonly string[] | 'all'
  readonly functions: readonly NodeMiddleware[]
  /** Whether the last of the functions answers. */
  readonly answers: boolean
}

export function buildFinder(plan: Plan, verifier: Verifier, sockets: Sockets): BuiltApp {
  const guard = createGuard({ verifier, scopes })
  const middlewareOf = (fn: FunctionPlan): NodeMiddleware =>
    fn.kind === 'passing'
      ? async (_request, _response, next) => void (await next())
      : guardOf<NodeMiddleware>(guard, fn)
  const entries: Entry[] = []
  const collect = (steps: readonly Step[], prefix: readonly Segment[]): void => {
    for (const step of steps) {
      const path = [...prefix, ...step.path]
      const functions = step.functions.map(middlewareOf)
      if (step.kind === 'use')
        entries.push({ path, isPrefix: !step.exact, methods: 'all', functions, answers: false })
      else if (step.kind === 'router') {
        entries.push({ path, isPrefix: true, methods: 'all', functions, answers: false })
        collect(step.steps, path)
      } else {
        const answer: NodeMiddleware = async (_request, response) =>
          void response
            .setHeader(routeHeader, templateOf(path))
            .setHeader('content-type', 'text/plain')
            .end('ok')
        entries.push({
          path,
          isPrefix: false,
          methods: step.methods,
          functions: [...functions, answer],
          answers: true,
        })
      }
    }
  }
  collect(plan.steps, [])
  /** Returns all functions for a request up to the one that answers. */
  const functionsFor = (method: string, path: string): readonly NodeMiddleware[] | undefined => {
    const matching = entries.filter(
      (entry) =>
        (entry.methods === 'all' || entry.methods.includes(method)) && matches(entry, path),
    )
    const last = matching.findIndex(({ answers }) => answers)
    return last < 0 ? undefined : matching.slice(0, last + 1).flatMap(({ functions }) => functions)
  }
  const app: GuardFinder = functionsFor
  const listener: RequestListener = (request, response) => {
    const run = async ([first, ...rest]: readonly NodeMiddleware[]): Promise<void> =>
      first!(request, response, () => run(rest))
    const functions = functionsFor(request.method!.toLowerCase(), request.url!)
    if (functions) void run(functions)
    else response.writeHead(404).end()
  }
  return { app, request: (...asked) => sockets.request(listener, ...asked) }
}

/** @param asked the path of a request, or a path template of the document */
function matches({ path, isPrefix }: Entry, asked: string): boolean {
  const parts = asked.split('/').filter(Boolean)
  if (isPrefix ? parts.length < path.length : parts.length !== path.length) return false
  return nameSegments(path, 0).every((segment, index) => {
    const part = parts[index]!
    if (typeof segment === 'string') return part === segment
    const kind = /^\{(digits|letters)\d\}$/.exec(part)?.[1]
    if (segment.of === 'digits') return kind === 'digits' || /^[0-9]+$/.test(part)
    return segment.of !== 'letters' || kind === 'letters' || /^[a-z]+$/.test(part)
  })
}

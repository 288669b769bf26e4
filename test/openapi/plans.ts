// Random apps as data: plans from which each framework's builder makes an app, and the requests
// that the tests send to it.
import fc from 'fast-check'
import type { DemandArguments } from 'keystile'

export const scopes = {
  'items:read': 'Read items',
  'items:write': 'Change items',
  admin: 'All else',
}
export type Scope = keyof typeof scopes
const scopeNames = Object.keys(scopes) as Scope[]

export const methods = ['get', 'post', 'put', 'delete', 'patch', 'options', 'head'] as const
export type Method = (typeof methods)[number]

export type GuardPlan =
  | {
      readonly kind: 'guard'
      readonly scopes: readonly Scope[]
      readonly maxAgeSeconds?: number
      readonly acr?: readonly string[]
      readonly optional: boolean
    }
  | { readonly kind: 'anyOf'; readonly alternatives: readonly (readonly Scope[])[] }

/**
 * A function before the handler: a guard, or a function that only calls the next one. `phase` says
 * when a framework with phases, such as Fastify, runs it.
 */
export type FunctionPlan = (
  | GuardPlan
  | { readonly kind: 'passing'; readonly style: 'plain' | 'async' | 'rest' }
) & {
  readonly phase: number
}

/** A segment of a path: a word, or a parameter that matches digits, letters or anything. */
export type Segment =
  | 'one'
  | 'two'
  | 'three'
  | { readonly parameter: 'digits' | 'letters' | 'anything' }

export type Step = UseStep | RouteStep | RouterStep

/** Functions for the routes that are registered later: below the path, or exactly at it. */
export interface UseStep {
  readonly kind: 'use'
  readonly path: readonly Segment[]
  readonly exact: boolean
  readonly functions: readonly FunctionPlan[]
}

export interface RouteStep {
  readonly kind: 'route'
  readonly path: readonly Segment[]
  readonly methods: readonly Method[] | 'all'
  readonly functions: readonly FunctionPlan[]
  /** Functions that are registered after the handler, so they never run. */
  readonly behind: readonly FunctionPlan[]
  /**
   * The parameters that the handler declares: only those that it needs, those and `next`, or none.
   */
  readonly takes: 'needed' | 'next' | 'nothing'
  /** Registers all methods in one chain, which begins with the functions. */
  readonly chained: boolean
}

export interface RouterStep {
  readonly kind: 'router'
  readonly path: readonly Segment[]
  readonly steps: readonly Step[]
  /** Functions that run before the router. The app passes them when it mounts the router. */
  readonly functions: readonly FunctionPlan[]
  readonly handlesErrors: boolean
  /**
   * Adds the routes to the parent with a prefix instead of to a new router, in frameworks that can.
   */
  readonly based: boolean
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly handlesErrors: boolean
  /** `describe` makes the document, if it can find the routes. */
  readonly described: boolean
  /** The document and the routes name the parameters differently. */
  readonly renamed: boolean
}

/** What a framework supports. */
export interface Traits {
  /** Parameters may have patterns. */
  readonly patterns: boolean
  /** A GET route also answers HEAD, unless there is a separate HEAD route. */
  readonly impliedHead: boolean
  /** There may be routes for HEAD. */
  readonly ownHead: boolean
  readonly routers: boolean
  /** `secure` can distinguish functions with rest parameters from handlers. */
  readonly rest: boolean
  /** Routes may have functions after the handler. */
  readonly behind: boolean
  /** If several routes differ only in their parameters, only the first of them exists. */
  readonly onlyFirst: boolean
}

const guard: fc.Arbitrary<GuardPlan> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        kind: fc.constant('guard' as const),
        scopes: fc.subarray(scopeNames, { maxLength: 2 }),
        maxAgeSeconds: fc.constantFrom(100_000, 10_000_000),
        acr: fc.constantFrom(['mfa'], ['phr', 'mfa'], ['other', 'mfa', 'weak']),
        optional: fc.constant(false),
      },
      { requiredKeys: ['kind', 'scopes', 'optional'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('guard' as const),
      scopes: fc.subarray(scopeNames, { maxLength: 1 }),
      optional: fc.constant(true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('anyOf' as const),
      alternatives: fc.array(fc.subarray(scopeNames, { minLength: 1, maxLength: 2 }), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
  },
)

export function plansFor(traits: Traits): fc.Arbitrary<Plan> {
  const passing = fc.record({
    kind: fc.constant('passing' as const),
    style: traits.rest
      ? fc.constantFrom('plain', 'async', 'rest')
      : fc.constantFrom('plain', 'async'),
  }) as fc.Arbitrary<{ kind: 'passing'; style: 'plain' | 'async' | 'rest' }>
  const fn = fc
    .tuple(
      fc.oneof(
        { weight: 2, arbitrary: guard as fc.Arbitrary<FunctionPlan> },
        { weight: 1, arbitrary: passing as fc.Arbitrary<FunctionPlan> },
      ),
      fc.nat(2),
    )
    .map(([plan, phase]): FunctionPlan => ({ ...plan, phase }))
  const functions = fc.array(fn, { maxLength: 2 })
  const word = fc.constantFrom<Segment>('one', 'two', 'three')
  // Either all parameters have patterns or none: a route with a pattern would answer some values of
  // a parameter without one.
  return fc.boolean().chain((patterned) => {
    const parameter: fc.Arbitrary<Segment> =
      patterned && traits.patterns
        ? fc.constantFrom({ parameter: 'digits' as const }, { parameter: 'letters' as const })
        : fc.constant({ parameter: 'anything' as const })
    const segment = fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: parameter })
    const path = fc.array(segment, { maxLength: 2 })
    const use: fc.Arbitrary<UseStep> = fc.record({
      kind: fc.constant('use' as const),
      // A parameter in the path of guards has no pattern: with a pattern, they would apply to some
      // values only.
      path: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: word },
          { weight: 1, arbitrary: fc.constant({ parameter: 'anything' as const }) },
        ),
        { maxLength: 1 },
      ),
      exact: fc.boolean(),
      functions: fc.array(fn, { minLength: 1, maxLength: 2 }),
    })
    const route: fc.Arbitrary<RouteStep> = fc.record({
      kind: fc.constant('route' as const),
      path,
      methods: fc.oneof(
        { weight: 1, arbitrary: fc.constant('all' as const) },
        {
          weight: 5,
          arbitrary: fc.uniqueArray(
            fc.constantFrom(
              ...methods.filter((method) => method !== 'head' || traits.ownHead),
              'get' as const,
            ),
            { minLength: 1, maxLength: 2 },
          ),
        },
      ),
      functions,
      behind: traits.behind
        ? fc.oneof(
            { weight: 4, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(fn, { maxLength: 1 }) },
          )
        : fc.constant([]),
      takes: fc.constantFrom('needed', 'next', 'nothing'),
      chained: fc.boolean(),
    })
    // Adds the same route twice, with different patterns and guards: the value of a parameter
    // decides which of the two answers.
    const twins = fc
      .tuple(route, functions)
      .map(([one, others]): readonly Step[] => [
        one,
        { ...one, path: one.path.map(otherPattern), functions: others },
      ])
    const stepsAt = (depth: number): fc.Arbitrary<readonly Step[]> => {
      const router: fc.Arbitrary<RouterStep> = fc.record({
        kind: fc.constant('router' as const),
        path,
        steps: depth > 0 ? stepsAt(depth - 1) : fc.constant([]),
        functions: fc.oneof(
          { weight: 2, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: functions },
        ),
        handlesErrors: fc.boolean(),
        based: fc.boolean(),
      })
      const single = fc.oneof(
        { weight: 3, arbitrary: use },
        { weight: 5, arbitrary: route },
        ...(depth > 0 && traits.routers
          ? [{ weight: 4, arbitrary: router as fc.Arbitrary<Step> }]
          : []),
      )
      const several = fc.oneof(
        { weight: 5, arbitrary: single.map((step): readonly Step[] => [step]) },
        { weight: 1, arbitrary: twins },
      )
      return fc
        .array(several, { minLength: depth === 3 ? 2 : 1, maxLength: 4, size: 'max' })
        .map((all) => all.flat())
    }
    return fc.record({
      steps: stepsAt(3),
      handlesErrors: fc.boolean(),
      described: fc.boolean(),
      renamed: patterned ? fc.constant(false) : fc.boolean(),
    })
  })
}

function otherPattern(segment: Segment): Segment {
  if (typeof segment === 'string' || segment.parameter === 'anything') return segment
  return { parameter: segment.parameter === 'digits' ? 'letters' : 'digits' }
}

/** The shape of every framework's guard. */
export interface AnyGuard<M> {
  (...demand: DemandArguments<Scope>): M
  anyOf(...alternatives: readonly (readonly Scope[])[]): M
  optional(...demand: DemandArguments<Scope>): M
}

export function guardOf<M>(guard: AnyGuard<M>, plan: GuardPlan): M {
  if (plan.kind === 'anyOf') return guard.anyOf(...plan.alternatives)
  const { scopes, maxAgeSeconds, acr, optional } = plan
  const login = { ...(maxAgeSeconds !== undefined && { maxAgeSeconds }), ...(acr && { acr }) }
  if (Object.keys(login).length > 0)
    return guard({ ...(scopes.length > 0 && { scopes }), ...login })
  return optional ? guard.optional(...scopes) : guard(...scopes)
}

/** Names each parameter by its place in the path, so that no name occurs twice. */
export function nameSegments(
  path: readonly Segment[],
  offset: number,
): readonly (string | { readonly name: string; readonly of: string })[] {
  return path.map((segment, index) =>
    typeof segment === 'string'
      ? segment
      : { name: `${segment.parameter}${offset + index}`, of: segment.parameter },
  )
}

/** Writes a path in a framework's syntax; `''` is the root. */
export function writePath(
  path: readonly Segment[],
  offset: number,
  write: (name: string, pattern: string | undefined) => string,
): string {
  const patterns: Readonly<Record<string, string>> = { digits: '[0-9]+', letters: '[a-z]+' }
  return nameSegments(path, offset)
    .map(
      (segment) =>
        `/${typeof segment === 'string' ? segment : write(segment.name, patterns[segment.of])}`,
    )
    .join('')
}

export const templateOf = (path: readonly Segment[]): string =>
  writePath(path, 0, (name) => `{${name}}`) || '/'

/** The values of parameters in requests. None of them is a word of a path. */
const values: Readonly<Record<string, readonly string[]>> = {
  digits: ['7', '4711'],
  letters: ['sample', 'xyz'],
  anything: ['sample', 'v-2.5'],
}

export interface PlannedOperation {
  readonly method: Method
  readonly template: string
  readonly path: readonly Segment[]
}

/** Returns the operations for which there are routes. */
export function operationsOf(plan: Plan, traits: Traits): readonly PlannedOperation[] {
  const operations = new Map<string, PlannedOperation>()
  const collect = (steps: readonly Step[], prefix: readonly Segment[]): void => {
    for (const step of steps) {
      if (step.kind === 'router') collect(step.steps, [...prefix, ...step.path])
      if (step.kind !== 'route') continue
      const path = [...prefix, ...step.path]
      const template = templateOf(path)
      const named = step.methods === 'all' ? methods : step.methods
      const all = traits.impliedHead && named.includes('get') ? [...named, 'head' as const] : named
      for (const method of all) {
        const key = `${method} ${traits.onlyFirst ? template.replace(/\{\w+\}/g, '{}') : template}`
        if (!operations.has(key)) operations.set(key, { method, template, path })
      }
    }
  }
  collect(plan.steps, [])
  return [...operations.values()]
}

/** Returns the paths of requests for an operation. */
export function requestPaths(path: readonly Segment[]): readonly string[] {
  const count = path.some((segment) => typeof segment !== 'string') ? 2 : 1
  return Array.from(
    { length: count },
    (_, index) =>
      path
        .map(
          (segment) =>
            `/${typeof segment === 'string' ? segment : values[segment.parameter]![index]!}`,
        )
        .join('') || '/',
  )
}

/** An app as the tests use it. */
export interface BuiltApp {
  /** The app as `secure` takes it. */
  readonly app: unknown
  request(method: string, path: string, authorization: string | undefined): Promise<RealAnswer>
  close?(): Promise<unknown>
}

export interface RealAnswer {
  readonly status: number
  readonly headers: Headers
}

/** The header in which a route names itself. */
export const routeHeader = 'x-route'

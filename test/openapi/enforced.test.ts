// `secure` and `describe` write what the guards enforce. In random apps of every framework, the
// tests predict the answer to each request only from the document.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import fc from 'fast-check'
import type { Verifier } from 'keystile'
import {
  describe as describeApp,
  secure,
  type OpenApiDocument,
  type SecuredApp,
} from 'keystile/openapi'
import { createTestIssuer } from 'keystile/testing'
import {
  buildExpress,
  express4Traits,
  expressTraits,
  openSockets,
  type Sockets,
} from './express-app.ts'
import { buildFastify, fastifyTraits } from './fastify-app.ts'
import { buildFinder, finderTraits } from './finder-app.ts'
import { buildHono, honoTraits } from './hono-app.ts'
import { findUndocumented, predict, type Credential, type Operation } from './oracle.ts'
import {
  operationsOf,
  plansFor,
  requestPaths,
  routeHeader,
  scopes,
  type BuiltApp,
  type Plan,
  type PlannedOperation,
  type Traits,
} from './plans.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
/**
 * Random apps per framework. All frameworks together get 10,000 apps in long mode, and 100
 * otherwise.
 */
const appsOfEach = Number(
  process.env['KEYSTILE_TEST_APPS'] ?? (process.env['KEYSTILE_LONG'] ? 2_000 : 20),
)

const frameworks: readonly Framework[] = [
  {
    name: 'Hono',
    traits: honoTraits,
    describes: () => true,
    build: async (plan, verifier) => buildHono(plan, verifier),
  },
  { name: 'Fastify', traits: fastifyTraits, describes: () => true, build: buildFastify },
  {
    name: 'Express 5',
    traits: expressTraits,
    describes: () => true,
    build: async (...made) => buildExpress(express, ...made),
  },
  {
    name: 'Express 4',
    traits: express4Traits,
    describes: ({ steps }) => steps.every(({ kind }) => kind !== 'router'),
    build: async (...made) => buildExpress(express4, ...made),
  },
  {
    name: 'a function that finds guards',
    traits: finderTraits,
    describes: () => false,
    build: async (...made) => buildFinder(...made),
  },
]

interface Framework {
  readonly name: string
  readonly traits: Traits
  /** Whether `describe` can find the routes of an app that is built from this plan. */
  describes(plan: Plan): boolean
  build(plan: Plan, verifier: Verifier, sockets: Sockets): Promise<BuiltApp>
}

const issuer = createTestIssuer()
const logins = [
  { loginAgeSeconds: 0, acr: 'mfa' },
  { loginAgeSeconds: 0, acr: 'weak' },
  { loginAgeSeconds: 1_000_000, acr: 'mfa' },
]
const subsets = Object.keys(scopes).reduce<readonly (readonly string[])[]>(
  (all, scope) => all.flatMap((one) => [one, [...one, scope]]),
  [[]],
)
const expiresInSeconds = 100_000
const credentials: readonly (readonly [Credential, authorization: string | undefined])[] = [
  [{ kind: 'none' }, undefined],
  [{ kind: 'malformed' }, 'Bearer'],
  [
    { kind: 'bad' },
    createTestIssuer().headers({ scopes: Object.keys(scopes), expiresInSeconds }).authorization,
  ],
  ...logins.flatMap(({ loginAgeSeconds, acr }) =>
    subsets.map((scopes): readonly [Credential, string] => [
      { kind: 'token', scopes, loginAgeSeconds, acr },
      issuer.headers({
        scopes,
        acr,
        authenticatedAt: new Date(Date.now() - loginAgeSeconds * 1000),
        expiresInSeconds,
      }).authorization,
    ]),
  ),
]
const { authorization: everything } = issuer.headers({
  scopes: Object.keys(scopes),
  acr: 'mfa',
  expiresInSeconds,
})

describe('the documents of random apps and what their guards do', () => {
  let sockets: Sockets
  before(async () => {
    sockets = await openSockets()
  })
  after(() => sockets.close())

  for (const [index, framework] of frameworks.entries()) {
    it(`OpenAPI and the guards agree in ${framework.name} (KEYSTILE_SEED=${seed})`, async (t) => {
      const tally = new Map<string, number>()
      const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1)
      const property = fc.asyncProperty(plansFor(framework.traits), async (plan) => {
        const built = await framework.build(plan, issuer.verifier, sockets)
        try {
          await checkApp(framework, plan, built, count)
        } finally {
          await built.close?.()
        }
      })
      await fc.assert(property, { seed: seed + index, numRuns: appsOfEach })
      t.diagnostic(
        `${framework.name}: ${[...tally].map(([what, times]) => `${times} × ${what}`).join(', ')}`,
      )
      for (const status of [200, 400, 401, 403]) {
        const times = tally.get(`guarded ${status}`) ?? 0
        if (appsOfEach >= 20)
          assert.ok(times >= appsOfEach, `too few are guarded and answered with ${status}`)
      }
    })
  }
})

async function checkApp(
  framework: Framework,
  plan: Plan,
  built: BuiltApp,
  count: (what: string) => void,
): Promise<void> {
  const planned = operationsOf(plan, framework.traits)
  const { document, asked } = await documentOf(framework, plan, built, planned, count)
  const emitted = JSON.parse(JSON.stringify(document)) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  const cases = asked.flatMap(({ operation: { method, path }, key }) => {
    const operation = emitted.paths[key]![method]!
    // The second path has other values of the parameters. To save time, only the first and last
    // credential are sent to it.
    return requestPaths(path).flatMap((path, index) =>
      credentials
        .filter((_, at) => index === 0 || at % (credentials.length - 1) === 0)
        .map(async ([credential, authorization]) => {
          const { status, headers } = await built.request(method, path, authorization)
          const expected = predict(operation, credential)
          const documented = JSON.stringify(operation.security)
          const sent = `${method} ${path} with ${JSON.stringify(credential)}`
          const what = `${sent}, documented with ${documented}`
          assert.ok(
            expected.includes(status),
            `${what}: ${status} instead of ${expected.join(' or ')}`,
          )
          const undocumented = findUndocumented(operation, status, headers)
          assert.equal(undocumented, undefined, `${what}: ${undocumented}`)
          count(operation.security ? `guarded ${status}` : 'open')
        }),
    )
  })
  await Promise.all(cases)
}

interface Asked {
  readonly operation: PlannedOperation
  /** The path of the operation in the document. */
  readonly key: string
}

/** Returns the app's document, without operations that another route answers first. */
async function documentOf(
  framework: Framework,
  plan: Plan,
  { app, request }: BuiltApp,
  planned: readonly PlannedOperation[],
  count: (what: string) => void,
): Promise<{ readonly document: OpenApiDocument; readonly asked: readonly Asked[] }> {
  const isDescribed = plan.described && framework.describes(plan)
  const left = new Map(
    planned.map((operation) => [
      `${operation.method.toUpperCase()} ${keyOf(plan, operation)}`,
      operation,
    ]),
  )
  for (;;) {
    try {
      if (isDescribed && left.size === planned.length) {
        const document = describeApp(app as SecuredApp, { title: 'Random', version: '1' })
        count('described')
        return { document, asked: findDescribed(document, planned) }
      }
      const asked = [...left.values()].map((operation) => ({
        operation,
        key: keyOf(plan, operation),
      }))
      const document = secure(bareDocumentOf(asked), app as SecuredApp)
      count('secured')
      return { document, asked }
    } catch (error) {
      const [, name] = /^Error: (.+) reaches the route \S+ instead, /.exec(String(error)) ?? []
      if (name === undefined) throw error
      // `secure` says that another route answers this operation. If so, nothing must be documented.
      const [key, operation] =
        [...left].find(([key, { method, template }]) =>
          [key, `${method.toUpperCase()} ${template}`].includes(name),
        ) ?? []
      assert.ok(operation, `${name} was not requested`)
      const { headers } = await request(
        operation.method,
        requestPaths(operation.path)[0]!,
        everything,
      )
      assert.notEqual(headers.get(routeHeader), operation.template)
      left.delete(key!)
      count('answered by another')
    }
  }
}

/**
 * Returns the operations that `describe` found. It must find every route, except HEAD and OPTIONS
 * routes: it leaves some of them out on purpose.
 */
function findDescribed(
  document: OpenApiDocument,
  planned: readonly PlannedOperation[],
): readonly Asked[] {
  const paths = document.paths as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  return planned.flatMap((operation) => {
    const { method, template } = operation
    const isThere = paths[template]?.[method] !== undefined
    if (method !== 'head' && method !== 'options')
      assert.ok(isThere, `${method} ${template} is not described`)
    return isThere ? [{ operation, key: template }] : []
  })
}

function keyOf({ renamed }: Plan, { template }: PlannedOperation): string {
  return renamed ? template.replace(/\{anything(\d)\}/g, '{p$1}') : template
}

function bareDocumentOf(asked: readonly Asked[]): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {}
  // Express itself answers OPTIONS for a path with other methods, and chooses the content type.
  const responses = { 200: { description: 'Done', content: { 'text/plain': {}, 'text/html': {} } } }
  for (const { operation, key } of asked) (paths[key] ??= {})[operation.method] = { responses }
  return { openapi: '3.1.1', paths }
}

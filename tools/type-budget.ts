// npm run types: measures how much work guards are for the compiler. For each framework, the script
// compiles an app of 50 routes, with guards and without guards. It fails if the guards add more
// type instantiations than their budget.
//
//   npm run types
//   npm run types -- hono web        only these frameworks
//   npm run types -- --budget 500    this budget for each framework
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compile, installKeystile } from '../test/types/installed.ts'

/**
 * The largest number of type instantiations that the guards of 50 routes may add. It is the number
 * that was measured when this code was written, plus 25 %.
 */
const budgets: Readonly<Record<string, number>> = {
  hono: 19_000,
  fastify: 1_000,
  express: 2_000,
  node: 500,
  web: 750,
}

const routes = 50
const resources = 10

/** The source of an app in one framework: its beginning, its end, and a part for each route. */
interface Program {
  readonly imports: string
  readonly begin: string
  /** @param guard the expression of a guard, or undefined in the app without guards */
  readonly route: (path: string, guard: string | undefined) => string
  readonly end?: string
}

const caller = (request: string): string => `const caller = guard.caller(${request});`
const answerOf = (request: string): string =>
  `{ url: ${request}.url, id: caller.identity.subject, name: caller.user.name }`
const constant = `{ url: req.url, id: 'a', name: 'Alice' }`

// Both apps read something of the request: the compiler computes the type of the request only where
// it is used.
const programs: Readonly<Record<string, Program>> = {
  hono: {
    imports: `import { Hono } from 'hono'`,
    begin: 'export const app = new Hono()',
    route: (path, guard) =>
      guard
        ? `.get('${path}', ${guard}, (c) =>
            c.json({ url: c.req.url, id: c.var.identity.subject, name: c.var.user.name }))`
        : `.get('${path}', (c) => c.json({ url: c.req.url, id: 'a', name: 'Alice' }))`,
  },
  fastify: {
    imports: `import Fastify from 'fastify'`,
    begin: 'export const app = Fastify()',
    route: (path, guard) =>
      guard
        ? `app.get('${path}', { onRequest: ${guard} }, async (req) => {
            ${caller('req')} return ${answerOf('req')} })`
        : `app.get('${path}', async (req) => (${constant}))`,
  },
  express: {
    imports: `import express from 'express'`,
    begin: 'export const app: express.Express = express()',
    route: (path, guard) =>
      guard
        ? `app.get('${path}', ${guard}, (req, res) => {
            ${caller('req')} res.json(${answerOf('req')}) })`
        : `app.get('${path}', (req, res) => { res.json(${constant}) })`,
  },
  node: {
    imports: `import { createServer } from 'node:http'`,
    begin: 'export const app = createServer((req, res) => {',
    route: (path, guard) =>
      guard
        ? `if (req.url === '${path}') return void ${guard}(req, res, () => {
            ${caller('req')} res.end(JSON.stringify(${answerOf('req')})) })`
        : `if (req.url === '${path}') return void res.end(JSON.stringify(${constant}))`,
    end: '})',
  },
  web: {
    imports: '',
    begin: 'export const app = {',
    route: (path, guard) =>
      guard
        ? `'${path}': ${guard}((req, caller) => Response.json(${answerOf('req')})),`
        : `'${path}': async (req: Request) => Response.json(${constant}),`,
    end: '}',
  },
}

/**
 * Returns the guard of route `n`. The routes alternate between five forms of a demand. All forms
 * need a caller, so all handlers can read the caller.
 */
function guardOf(n: number): string {
  const resource = `r${n % resources}`
  return [
    `guard('${resource}:read')`,
    `guard('${resource}:read', '${resource}:write')`,
    `guard({ scopes: ['${resource}:write'], maxAgeSeconds: 300 })`,
    `guard.anyOf('${resource}:write', ['${resource}:read', 'r0:read'])`,
    `guard()`,
  ][n % 5]!
}

function textOf(framework: string, isGuarded: boolean): string {
  const { imports, begin, route, end = '' } = programs[framework]!
  const names = Array.from({ length: resources }, (_, n) => [`r${n}:read`, `r${n}:write`]).flat()
  const guards = [
    `import { createVerifier, type Identity } from 'keystile'`,
    `import { createGuard } from 'keystile/${framework}'`,
    `const scopes = { ${names.map((name) => `'${name}': 'Does ${name}'`).join(', ')} }`,
    `const from = { issuer: 'https://auth.example', audience: 'https://api.example' }`,
    `const verifier = createVerifier({ ...from, revocations: 'none' })`,
    `const user = async ({ subject }: Identity) => ({ id: subject, name: 'Alice' })`,
    `export const guard = createGuard({ verifier, scopes, user })`,
  ]
  const lines = Array.from({ length: routes }, (_, n) =>
    route(`/items/${n}`, isGuarded ? guardOf(n) : undefined),
  )
  return [imports, ...(isGuarded ? guards : []), begin, ...lines, end, ''].join('\n')
}

interface Cost {
  readonly instantiations: number
  readonly types: number
  readonly checkSeconds: number
}

function costOf(folder: string, name: string, text: string): Cost {
  const program = join(folder, name)
  mkdirSync(program)
  writeFileSync(join(program, 'app.ts'), text)
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  }
  writeFileSync(join(program, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(
    join(program, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['app.ts'] }),
  )
  const { passed, output } = compile(program, ['-p', '.', '--extendedDiagnostics'])
  if (!passed) throw new Error(`${name} does not compile:\n${output}`)
  const figure = (label: string): number => {
    const [, value] = new RegExp(`^${label}:\\s+([\\d.]+)`, 'm').exec(output) ?? []
    if (value === undefined) throw new Error(`the compiler does not say "${label}":\n${output}`)
    return Number(value)
  }
  return {
    instantiations: figure('Instantiations'),
    types: figure('Types'),
    checkSeconds: figure('Check time'),
  }
}

const { values, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { budget: { type: 'string' } },
})
const unknown = chosen.filter((name) => !Object.hasOwn(programs, name))
if (unknown.length > 0)
  throw new TypeError(
    `there is no framework ${unknown.join(', ')}; ` +
      `the frameworks are ${Object.keys(programs).join(', ')}`,
  )

const folder = mkdtempSync(join(tmpdir(), 'keystile-types-'))
try {
  installKeystile(folder)
  console.log(`${routes} routes  instantiations  types  check, s  guards add  budget`)
  for (const framework of chosen.length > 0 ? chosen : Object.keys(programs)) {
    const open = costOf(folder, `${framework}-open`, textOf(framework, false))
    const guarded = costOf(folder, framework, textOf(framework, true))
    const added = guarded.instantiations - open.instantiations
    const budget = Number(values.budget ?? budgets[framework]!)
    console.log(
      [
        framework.padEnd(9),
        String(guarded.instantiations).padStart(14),
        String(guarded.types).padStart(6),
        guarded.checkSeconds.toFixed(2).padStart(9),
        String(added).padStart(11),
        String(budget).padStart(7),
        added > budget ? '  EXCEEDED' : '',
      ].join(' '),
    )
    if (added > budget) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

// A repository of several packages, each compiled by itself (project references): one package has
// the guards, the others use them. The repository is compiled against an installed keystile. Some
// errors of types appear only there, never in a single program.
import assert from 'node:assert/strict'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { compile, installKeystile } from './installed.ts'

/** How each framework's routes are written. The routes use an imported `guard`. */
const frameworks: Readonly<Record<string, { readonly imports: string; readonly routes: string }>> =
  {
    hono: {
      imports: `import { Hono, type Context } from 'hono'`,
      routes: `
      new Hono()
        .get('/items', guard('items:read'), (c) => c.json(named(c.var.user, c.var.identity.scopes)))
        .get('/news', guard.optional(), (c) => c.json({ for: c.var.user?.name ?? 'everybody' }))
      export const nameOf = (c: Context): string => guard.caller(c).user.name`,
    },
    fastify: {
      imports: `import Fastify, { type FastifyRequest } from 'fastify'`,
      routes: `
      const app = Fastify()
      app.addHook('onRequest', guard.optional())
      app.get('/items', { onRequest: guard('items:read') }, async (request) => {
        const { user, identity } = guard.caller(request)
        return named(user, identity.scopes)
      })
      export const nameOf = (request: FastifyRequest): string => guard.caller(request).user.name`,
    },
    express: {
      imports: `import express, { type Request as Req } from 'express'`,
      routes: `
      express()
        .use(guard.optional())
        .get('/items', guard('items:read'), (req, res) => {
          const { user, identity } = guard.caller(req)
          res.json(named(user, identity.scopes))
        })
      export const nameOf = (req: Req): string => guard.caller(req).user.name`,
    },
    node: {
      imports: `import { createServer, type IncomingMessage } from 'node:http'`,
      routes: `
      createServer((req, res) =>
        guard('items:read')(req, res, () => {
          const { user, identity } = guard.caller(req)
          res.end(JSON.stringify(named(user, identity.scopes)))
        }),
      )
      export const nameOf = (req: IncomingMessage): string => guard.caller(req).user.name`,
    },
    web: {
      imports: '',
      routes: `
      export const handle: (request: Request) => Promise<Response> = guard('items:read')(
        (_request, { user, identity }) => Response.json(named(user, identity.scopes)),
      )
      export const nameOf = (request: Request): string => guard.caller(request).user.name`,
    },
  }

const account = `
  import { createVerifier, type Identity, type Verifier } from 'keystile'
  export const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' } as const
  export type Scope = keyof typeof scopes
  export interface User { readonly id: string; readonly name: string }
  export const user = (identity: Identity): User => ({ id: identity.subject, name: 'Alice' })
  export const verifier: Verifier = createVerifier({
    issuer: 'https://auth.example',
    audience: 'https://api.example',
    revocations: 'none',
  })
  export const named = (user: User, scopes: readonly Scope[]): object => ({ ...user, scopes })`

const annotatedGuard = (framework: string): string => `
  import { createGuard, type Guard } from 'keystile/${framework}'
  import { scopes, user, verifier, type Scope, type User } from './account.js'
  export const guard: Guard<Scope, User> = createGuard({ verifier, scopes, user })`

const annotatedUse = (framework: string): string => `
  ${frameworks[framework]!.imports}
  import { named } from '@shop/guards/account'
  import { guard } from '@shop/guards/${framework}'
  ${frameworks[framework]!.routes}
  ${misspelt}`

/**
 * Code without type annotations: the compiler writes the declarations itself, and must be able to
 * name every type in them.
 */
const inferredUse = (framework: string): string => `
  ${frameworks[framework]!.imports}
  import { named, scopes, user, verifier } from '@shop/guards/account'
  import { createGuard } from 'keystile/${framework}'
  export const guard = createGuard({ verifier, scopes, user })
  export const anyOf = guard.anyOf('items:read', ['items:write'])
  export const optional = guard.optional('items:read')
  export const isAllowed = (request: Request) => guard.check(request, 'items:read')
  export const { check, anyOf: some } = guard
  export const [caller, optionalCaller] = [guard.caller, guard.optional.caller]
  export default guard('items:read')
  ${frameworks[framework]!.routes}
  ${misspelt}`

/** Errors that the compiler must report to a package that uses another package's guards. */
const misspelt = `
  export const wrong = (): void => {
    // @ts-expect-error: the scope is not declared
    guard('items:raed')
    // @ts-expect-error: the scope is not declared
    guard.anyOf(['items:raed'])
    // @ts-expect-error: the scope is not declared
    guard.optional('items:raed')
  }`

const packages: Readonly<
  Record<
    string,
    {
      readonly text: (framework: string) => string
      readonly isIsolated: boolean
      readonly needs: string[]
    }
  >
> = {
  guards: { text: annotatedGuard, isIsolated: true, needs: [] },
  annotated: { text: annotatedUse, isIsolated: true, needs: ['guards'] },
  inferred: { text: inferredUse, isIsolated: false, needs: ['guards'] },
}

describe('guards in a repository with several packages', () => {
  it('guards compile in each package, and their declarations name no internal file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-monorepo-'))
    const write = (path: string, content: string | object): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(
        join(folder, path),
        typeof content === 'string' ? content : JSON.stringify(content),
      )
    }
    try {
      installKeystile(folder)
      mkdirSync(join(folder, 'node_modules/@shop'))
      for (const [name, { text, isIsolated, needs }] of Object.entries(packages)) {
        symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules/@shop', name))
        write(`packages/${name}/package.json`, {
          name: `@shop/${name}`,
          type: 'module',
          exports: { './*': { types: './dist/*.d.ts', default: './dist/*.js' } },
        })
        write(`packages/${name}/tsconfig.json`, {
          compilerOptions: {
            composite: true,
            declaration: true,
            isolatedDeclarations: isIsolated,
            strict: true,
            exactOptionalPropertyTypes: true,
            target: 'es2023',
            module: 'nodenext',
            types: ['node'],
            rootDir: 'src',
            outDir: 'dist',
          },
          include: ['src'],
          references: needs.map((other) => ({ path: `../${other}` })),
        })
        for (const framework of Object.keys(frameworks))
          write(`packages/${name}/src/${framework}.ts`, text(framework))
      }
      write('packages/guards/src/account.ts', account)
      write('tsconfig.json', {
        files: [],
        references: Object.keys(packages).map((name) => ({ path: `packages/${name}` })),
      })

      const { passed, output } = compile(folder, ['-b'])
      assert.ok(passed, output)
      const emitted = globSync('packages/*/dist/*.d.ts', { cwd: folder })
      assert.equal(
        emitted.length,
        Object.keys(packages).length * Object.keys(frameworks).length + 1,
      )
      for (const file of emitted) assertNamesDoors(file, readFileSync(join(folder, file), 'utf8'))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

const doors = ['keystile', ...Object.keys(frameworks).map((name) => `keystile/${name}`)]

/**
 * @throws {AssertionError} when a declaration names a file of keystile that is not a door, or a
 *   file elsewhere
 */
function assertNamesDoors(file: string, declarations: string): void {
  const named = [...declarations.matchAll(/(?:from|import\(?)\s*["']([^"']+)["']/g)].map(
    ([, specifier]) => specifier!,
  )
  for (const specifier of named) {
    if (specifier.startsWith('keystile'))
      assert.ok(doors.includes(specifier), `${file} names ${specifier}`)
    else
      assert.match(
        specifier,
        /^(?:\.\/account\.js|@shop\/guards\/\w+|node:\w+|hono(?:\/.+)?|fastify|express(?:-serve-static-core)?)$/,
        file,
      )
  }
}

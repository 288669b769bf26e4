// Runs a program of the documents, or an example, in its own process:
//
//     node --conditions=source test/docs/recipe-process.ts <program>
//
// The program is unchanged, except that `createGuard`, `createKeystile` and `createTestIssuer` come
// from planted.ts. If it does not listen by itself, this file makes its app listen. The parent
// process sends one order at a time to this process.
import { fail } from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { Server } from 'node:http'
import { flushCompileCache, registerHooks } from 'node:module'
import type { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { serve } from '@hono/node-server'
import type { Express } from 'express'
import type { FastifyInstance } from 'fastify'
import type { Hono } from 'hono'
import { portOf, servers } from './listening.ts'
import { made, plantIssuer, setMode, takeFailures, userIsAsked, type Mode } from './planted.ts'

export type Order =
  | { readonly mode: Mode }
  | 'wait until no client is connected'
  | 'wait until user is asked'

/**
 * The exports of an example. The test adds a function `ended` to each block, which returns the same
 * members.
 */
interface Ended {
  readonly app?: Express | FastifyInstance | Hono | Server
  readonly token?: string
}

export interface Ready {
  readonly port: number
  readonly token: string | undefined
  /** The path of Keystile's endpoints; undefined without accounts. */
  readonly base: string | undefined
  readonly hasUser: boolean
  readonly hasDirectory: boolean
}

const planted = new URL('planted.ts', import.meta.url).href
const isRecipe = /\/(examples|test\/docs\/blocks-\w+)\//
const replacements: readonly (readonly [specifier: RegExp, name: string, by: string])[] = [
  [/^keystile\/(node|express|fastify|hono|web)$/, 'createGuard', 'plantGuard'],
  [/^keystile\/nest$/, 'KeystileModule', 'plantModule'],
  [/^@keystile\/server$/, 'createKeystile', 'plantKeystile'],
]
const modules = new Map<string, string>()
const module = (url: string, source: string) => {
  modules.set(url, source)
  return { url, format: 'module', shortCircuit: true }
}
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!isRecipe.test(context.parentURL ?? '')) return nextResolve(specifier, context)
    // Tests in documents do nothing here. code-blocks.test.ts runs them.
    if (specifier === 'node:test')
      return module('planted:test', 'export const it = () => {}, describe = () => {}')
    if (specifier === 'keystile/testing')
      return module(
        'planted:testing',
        `export { plantIssuer as createTestIssuer } from '${planted}'`,
      )
    const { url } = nextResolve(specifier, context)
    const replacement = replacements.find(([pattern]) => pattern.test(specifier))
    if (!replacement) return nextResolve(specifier, context)
    const [, name, by] = replacement
    return module(
      `planted:${specifier}`,
      `import { ${name} as real } from '${url}'; import { ${by} } from '${planted}'
      export * from '${url}'; export const ${name} = ${by}(real)`,
    )
  },
  load(url, context, nextLoad) {
    const source = modules.get(url)
    return source === undefined
      ? nextLoad(url, context)
      : { format: 'module', source, shortCircuit: true }
  },
})

const connected = new Set<Socket>()
let whenDisconnected: (() => void) | undefined
subscribe('net.server.socket', (message) => {
  const { socket } = message as { readonly socket: Socket }
  connected.add(socket)
  socket.once('close', () => {
    connected.delete(socket)
    if (connected.size === 0) whenDisconnected?.()
  })
})
const program = (await import(pathToFileURL(process.argv[2]!).href)) as Ended & {
  ended?(createIssuer: typeof plantIssuer): Ended
}
const { app, token } = { ...program, ...program.ended?.(plantIssuer) }
if (servers.length === 0 && app) await listen(app)

async function listen(app: NonNullable<Ended['app']>): Promise<void> {
  if (app instanceof Server || typeof app === 'function') app.listen(0, 'localhost')
  else if ('inject' in app) await app.listen({ port: 0, host: 'localhost' })
  else serve({ fetch: app.fetch, hostname: 'localhost', port: 0 })
}

const scopes = ['items:read', 'orders:read']
const ready: Ready = {
  port: await portOf(servers[0] ?? fail('the program has no server')),
  token: token ?? made.issuer?.token({ scopes }),
  base: made.keystile && new URL(made.keystile.verifier.issuer).pathname.replace(/\/$/, ''),
  hasUser: made.hasUser,
  hasDirectory: made.hasDirectory,
}

async function obey(order: Order): Promise<unknown> {
  if (typeof order === 'object') return setMode(order.mode)
  if (order === 'wait until user is asked') return userIsAsked()
  if (connected.size > 0) await new Promise<void>((resolve) => (whenDisconnected = resolve))
  return takeFailures()
}

process.on('message', async (order: Order) => process.send!({ done: await obey(order) }))
process.once('disconnect', () => process.exit())
flushCompileCache() // the cache would be lost at SIGKILL
process.send!(ready)

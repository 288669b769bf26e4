import { createKeystile, type BuiltInScope, type Keystile } from '@keystile/server'
import { variable } from './environment.ts'

/** Creates a Keystile below /auth, on the database that the environment names. */
export function createBenchKeystile(mail?: {
  readonly mailUrl: string
  readonly mailFrom: string
}): Promise<Keystile<'items:read' | BuiltInScope>> {
  return createKeystile({
    issuer: `http://127.0.0.1:${variable('PORT')}/auth`,
    database: variable('DATABASE'),
    scopes: { 'items:read': 'Read items' },
    defaultScopes: ['items:read'],
    accessTokenSeconds: 24 * 60 * 60,
    ...mail,
  })
}

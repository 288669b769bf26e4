import { createKeystile, type BuiltInScope, type Keystile } from '@keystile/server'
import { variable } from './environment.ts'
import { seedUsers } from './seed.ts'

/**
 * Creates a Keystile below /auth, on the database that the environment names. With the variables
 * USERS and TOKENS, it then adds this many users who have logged in, and writes their tokens to the
 * file.
 */
export async function createBenchKeystile(mail?: {
  readonly mailUrl: string
  readonly mailFrom: string
}): Promise<Keystile<'items:read' | BuiltInScope>> {
  const { KEY, PAGES, USERS, TOKENS } = process.env
  const database = variable('DATABASE')
  const keystile = await createKeystile({
    issuer: `http://127.0.0.1:${variable('PORT')}/auth`,
    database,
    ...(KEY !== undefined && { key: KEY }),
    scopes: { 'items:read': 'Read items' },
    defaultScopes: ['items:read'],
    ...(PAGES !== undefined && { loginPages: 'on' }),
    accessTokenSeconds: 24 * 60 * 60,
    dangerouslyAllowLostCommits: true, // some scenarios use a PostgreSQL without fsync
    ...mail,
  })
  if (USERS !== undefined && TOKENS !== undefined)
    // The server answers before that, because a start must not take long.
    void seedUsers(keystile, { database, count: Number(USERS), file: TOKENS })
  return keystile
}

import { createKeystile } from '@keystile/server'
import type { CallerOf } from 'keystile/nest'

export const port = Number(process.env['PORT'] ?? 3000)

export const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/nest-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
})

/** The caller of a handler. */
export type Me = CallerOf<typeof keystile>

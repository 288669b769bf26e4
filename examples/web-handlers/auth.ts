// Shared by all handlers of an app whose framework calls them with web Requests.
import { createKeystile } from '@keystile/server'
import { createGuard } from 'keystile/web'

export const keystile = await createKeystile({
  issuer: 'http://localhost:3000/auth',
  database: process.env['DATABASE'] ?? 'data/web-handlers-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
  trustedProxies: ['127.0.0.1'], // the proxy in front of the app
})
export const guard = createGuard(keystile)

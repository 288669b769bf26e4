// Keystile embedded in Hono on SQLite: the guard loads the user, and asks whether the session was
// revoked.
import { createGuard, mount } from 'keystile/hono'
import { createBenchKeystile } from './embedded.ts'
import { serveHono } from './hono-routes.ts'

const keystile = await createBenchKeystile()

serveHono(createGuard(keystile)('items:read'), mount(keystile))

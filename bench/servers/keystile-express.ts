// Keystile embedded in Express on SQLite: the guard loads the user, and asks whether the session
// was revoked.
import { createGuard, mount } from 'keystile/express'
import { createBenchKeystile } from './embedded.ts'
import { serveExpress } from './express-routes.ts'

const keystile = await createBenchKeystile()

serveExpress(createGuard(keystile)('items:read'), mount(keystile))

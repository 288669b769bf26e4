// Keystile embedded in node:http on SQLite: the guard loads the user, and asks whether the session
// was revoked.
import { createGuard, mount } from 'keystile/node'
import { createBenchKeystile } from './embedded.ts'
import { serveNode } from './node-routes.ts'

const keystile = await createBenchKeystile()

serveNode(createGuard(keystile)('items:read'), mount(keystile))

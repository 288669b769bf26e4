// Keystile embedded in node:http on SQLite, with a mail server.
import { createGuard, mount } from 'keystile/node'
import { createBenchKeystile } from './embedded.ts'
import { hostname, variable } from './environment.ts'
import { serveNode } from './node-routes.ts'

const keystile = await createBenchKeystile({
  mailUrl: `smtp://${hostname}:${variable('MAIL_PORT')}`,
  mailFrom: 'no-reply@example.com',
})

serveNode(createGuard(keystile)('items:read'), mount(keystile))

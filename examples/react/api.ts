// The API behind the page: accounts below /auth, and one guarded route.
import { serve } from '@hono/node-server'
import { createKeystile } from '@keystile/server'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'

const pagePort = Number(process.env['PORT'] ?? 5173)

const keystile = await createKeystile({
  issuer: `http://localhost:${pagePort}/auth`, // where the browser finds it
  database: 'data/react-example.db',
  cookieSession: true,
  emailVerification: 'required',
  // In development, no mail is sent: http://localhost:5173/auth/dev/mail shows the mails.
  mailUrl: process.env['MAIL_URL'] ?? 'console:',
  mailFrom: 'Items <no-reply@example.com>',
})
const guard = createGuard(keystile)

export const app = new Hono()
  .use(mount(keystile))
  .get('/items', guard(), (c) => c.json({ owner: c.var.user.username, items: ['lamp', 'chair'] }))

serve(
  { fetch: app.fetch, hostname: 'localhost', port: Number(process.env['API_PORT'] ?? 3000) },
  ({ port }) => console.log(`listening on http://localhost:${port}`),
)

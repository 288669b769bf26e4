// The API behind the page: accounts below /auth, and two guarded routes.
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
  // A user may set up an authenticator app. With 'required', each user must, within the login.
  secondFactor: process.env['SECOND_FACTOR'] === 'required' ? 'required' : 'optional',
  // In development, no mail is sent: http://localhost:5173/auth/dev/mail shows the mails.
  mailUrl: process.env['MAIL_URL'] ?? 'console:',
  mailFrom: 'Items <no-reply@example.com>',
})
const guard = createGuard(keystile)

export const app = new Hono()
  .use(mount(keystile))
  .get('/items', guard(), (c) => c.json({ owner: c.var.user.username, items: ['lamp', 'chair'] }))
  .post('/items/sell', guard({ acr: 'mfa' }), (c) =>
    c.json({ owner: c.var.user.username, items: [] }),
  )

serve(
  { fetch: app.fetch, hostname: 'localhost', port: Number(process.env['API_PORT'] ?? 3000) },
  ({ port }) => console.log(`listening on http://localhost:${port}`),
)

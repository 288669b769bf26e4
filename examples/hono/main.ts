import { serve } from '@hono/node-server'
import { app } from './app.ts'

serve(
  { fetch: app.fetch, hostname: 'localhost', port: Number(process.env['PORT'] ?? 3000) },
  ({ port }) => {
    console.log(`listening on http://localhost:${port}`)
  },
)

// Next.js: app/auth/[...path]/route.ts, and the same in app/.well-known/[...path]/route.ts
import { keystile } from './auth.ts'

// Next.js does not tell the address of the connection, so only the proxy may reach the app.
const answer = (request: Request): Promise<Response> =>
  keystile.fetch(request, { remoteAddress: '127.0.0.1' })
export { answer as DELETE, answer as GET, answer as PATCH, answer as POST }

// Next.js: app/auth/[...path]/route.ts, and the same in app/.well-known/[...path]/route.ts
import { keystile } from './auth.ts'

const answer = (request: Request): Promise<Response> => keystile.fetch(request)
export { answer as DELETE, answer as GET, answer as PATCH, answer as POST }

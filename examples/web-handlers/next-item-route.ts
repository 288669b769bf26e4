// Next.js: app/items/[id]/route.ts
import { guard } from './auth.ts'

interface Context {
  readonly params: Promise<{ readonly id: string }>
}

export const GET = guard('items:read')(async (_request, { user }, context: Context) => {
  const { id } = await context.params
  return Response.json({ id, owner: user.username })
})

export const DELETE = guard({ scopes: ['items:write'], maxAgeSeconds: 300 })(
  () => new Response(null, { status: 204 }),
)

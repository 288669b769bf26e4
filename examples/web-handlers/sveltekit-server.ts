// SvelteKit: src/routes/items/[id]/+server.ts
import { guard } from './auth.ts'

interface RequestEvent {
  readonly request: Request
  readonly params: { readonly id: string }
}

const get = guard('items:read')((_request, { user }, { params }: RequestEvent) =>
  Response.json({ id: params.id, owner: user.username }),
)
export const GET = (event: RequestEvent): Promise<Response> => get(event.request, event)

// For frameworks that call handlers with web Requests, such as Next.js: one handler per route.
import { createGuard, mount } from 'keystile/web'
import { keystile } from './auth.ts'

const guard = createGuard(keystile)

// Call it with the request and its IP address: answerAuth(request, { remoteAddress })
export const answerAuth = mount(keystile)
export const GET = guard()((_request, { user }) => Response.json({ email: user.email, orders: ['lamp', 'chair'] }))
export const POST = guard('orders:write')(() => Response.json({ sold: 'lamp' }, { status: 201 }))

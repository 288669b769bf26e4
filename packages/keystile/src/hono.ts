export { createGuard, mount, type Guard, type HonoMiddleware } from './adapters/hono.ts'
export type { Mountable } from './adapters/mountable.ts'

export { createGuard, mount, type Guard } from './adapters/hono.ts'
export type { Mountable } from './adapters/mountable.ts'

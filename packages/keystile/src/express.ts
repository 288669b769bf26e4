export { createGuard, mount, type Guard, type ExpressMiddleware } from './adapters/express.ts'
export type { Mountable } from './adapters/mountable.ts'

export { createGuard, documentRoutes, mount, type Guard, type FastifyHook } from './adapters/fastify.ts'
export type { Mountable } from './adapters/mountable.ts'

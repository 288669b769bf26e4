export {
  createGuard,
  documentRoutes,
  mount,
  type CheckedRequest,
  type FastifyHook,
  type Guard,
} from './adapters/fastify.ts'
export type { Mountable } from './adapters/mountable.ts'

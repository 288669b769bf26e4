// keystile/fastify: guards and the issuer's endpoints for Fastify.
export {
  createGuard,
  documentRoutes,
  mount,
  type CheckedRequest,
  type FastifyHook,
  type Guard,
} from './frameworks/fastify/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

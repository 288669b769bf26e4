// keystile/hono: guards and the issuer's endpoints for Hono.
export {
  createGuard,
  mount,
  type Guard,
  type HonoMiddleware,
  type MountOptions,
} from './frameworks/hono/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

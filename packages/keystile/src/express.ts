// keystile/express: guards and the issuer's endpoints for Express 4 and 5.
export {
  createGuard,
  mount,
  type Guard,
  type ExpressMiddleware,
} from './frameworks/express/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

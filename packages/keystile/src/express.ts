export {
  createGuard,
  mount,
  type Guard,
  type ExpressMiddleware,
} from './frameworks/express/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

// keystile/web: guards and the issuer's endpoints for handlers that take a web Request.
export { createGuard, mount, type Guard, type WebGuard } from './frameworks/web/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

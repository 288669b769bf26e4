export { createGuard, mount, type Guard, type WebGuard } from './frameworks/web/guard.ts'
export type { Mountable } from './frameworks/mountable.ts'

export { createGuard, mount, type Guard, type WebGuard } from './adapters/web.ts'
export type { Mountable } from './adapters/mountable.ts'

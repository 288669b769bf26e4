export type { Mountable } from './adapters/mountable.ts'
export { createGuard, mount, type Guard, type NodeMiddleware } from './adapters/node.ts'
export { onUpgrade, type UpgradeListener } from './adapters/upgrade.ts'

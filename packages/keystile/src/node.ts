// keystile/node: guards and the issuer's endpoints for node:http, and WebSocket upgrades.
export type { Mountable } from './frameworks/mountable.ts'
export { createGuard, mount, type Guard, type NodeMiddleware } from './frameworks/node/guard.ts'
export { onUpgrade, type UpgradeListener } from './frameworks/node/upgrade.ts'

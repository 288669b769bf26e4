// keystile/node: guards for node:http and for WebSocket upgrades, and the issuer's endpoints.
export type { Mountable } from './frameworks/mountable.ts'
export { createGuard, mount, type Guard, type NodeMiddleware } from './frameworks/node/guard.ts'
export { onUpgrade, type UpgradeListener } from './frameworks/node/upgrade.ts'

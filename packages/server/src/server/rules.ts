import type { RuleOptions } from './features.ts'
import type { Rule } from '../feature/rule.ts'
import { features } from './features.ts'
import { inOrder } from './in-order.ts'

/** The order in which messages and documents have the rules. Rules that are not named here come last. */
const order: readonly string[] = [
  'issuer-https',
  'http-allowed',
  'public-bind',
  'registration-said',
  'registration-limited',
  'rate-limits',
  'proxies-said',
  'proxies-named',
  'key-given',
  'key-random',
  'key-unknown',
  'signing-key-strong',
  'access-token-short',
  'session-short',
  'idle-short',
  'grace-short',
  'cookie-https',
  'cors-named',
  'cors-https',
  'postgres-tls',
  'settings-complete',
  'node-version',
  'key-file-private',
  'secret-files-private',
  'database-file-private',
  'database-opens',
  'issuer-stored',
  'sqlite-durable',
  'postgres-durable',
  'clock-right',
]

/** The safety rules of all features. */
export const rules: readonly Rule<RuleOptions>[] = inOrder(
  features.flatMap((feature) => feature.rules ?? []),
  order,
  ({ id }) => id,
)

import type { Feature } from '../../../feature/feature.ts'
import { cliCommands } from '../clients/cli-commands.ts'
import type { Options } from '../clients/cli.ts'
import { auditEvents, type OAuthEvent } from './audit-events.ts'
import { grants } from './grants.ts'
import { logins, refreshes } from './metrics.ts'

/**
 * The OAuth endpoints (token, revocation, introspection, metadata), and the commands that manage
 * clients.
 */
export const feature: Feature<object, OAuthEvent, unknown, Options> = {
  name: 'oauth',
  auditEvents,
  metrics: [logins, refreshes],
  cliCommands: cliCommands(grants),
}

import { examine } from '../configuration/examination.ts'
import { rules } from '../server/features.ts'
import type { OwnCall } from './call.ts'

/**
 * Checks the settings and prints warnings. Does not open the database, and does not listen on a
 * port.
 */
export async function checkConfiguration({ settings, terminal }: OwnCall): Promise<void> {
  const { options, hosts, port } = await settings()

  for (const { rule, about, message } of examine(options.situation, rules).warnings)
    terminal.print(`warning: ${about} ${message} (${rule.id}, ${rule.standard})`)
  terminal.print(
    `the settings are fine: ${options.issuer}, listening on ${hosts.join(' and ')}, port ${port}`,
  )
  terminal.print(
    'keystile doctor also checks the clock, the files, and the database with its issuer',
  )
}

// Starts all of Keystile, and gives access to parts that the package does not export.
import { listen, type ListeningServer } from '../src/listener/server.ts'
import { checkOptions } from '../src/server/options.ts'
import { wire, type RunningKeystile } from '../src/server/wire/wire.ts'

export { byOperator } from '../src/features/operations/audit/by.ts'
export type { NewClient } from '../src/features/tokens/clients/clients.ts'
export { createEventLog } from '../src/features/tokens/events/event-log.ts'
export type { ListeningServer } from '../src/listener/server.ts'

type Options = Parameters<typeof checkOptions>[0]

/**
 * Starts Keystile as an app does, without the stand-alone server. The result includes the accounts
 * and clients. Password hashes have the lowest cost, which a real server refuses, so a login takes
 * hardly more time than its reads and writes.
 */
export function startEmbedded(options: Options): Promise<RunningKeystile> {
  return wire({ ...checkOptions(options), passwordHashing: { memoryKiB: 8, passes: 1 } })
}

/** Starts the stand-alone server, as `startEmbedded` does, on a port of the loopback address. */
export async function startStandAlone(options: Options, port: number): Promise<ListeningServer> {
  return listen(await startEmbedded(options), { hosts: ['127.0.0.1'], port })
}

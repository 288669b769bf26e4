// The whole of Keystile, with parts that the package does not export.
import { listen, type ListeningServer } from '../src/listener/server.ts'
import { checkOptions } from '../src/server/options.ts'
import { wire, type RunningKeystile } from '../src/server/wire.ts'

export { byOperator } from '../src/features/audit/audit.ts'
export type { NewClient } from '../src/features/clients/clients.ts'
export type { ListeningServer } from '../src/listener/server.ts'

type Options = Parameters<typeof checkOptions>[0]

/** Starts Keystile embedded, and returns its accounts and clients with it. */
export function startEmbedded(options: Options): Promise<RunningKeystile> {
  return wire(checkOptions(options))
}

/** Starts Keystile stand-alone, on a port of the loopback. */
export async function startStandAlone(options: Options, port: number): Promise<ListeningServer> {
  return listen(await startEmbedded(options), { hosts: ['127.0.0.1'], port })
}

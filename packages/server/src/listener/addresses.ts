// Starts and stops listening on the addresses of a binding.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Binding } from './binding.ts'

/** How long a server waits for running requests when it stops. */
const drainMilliseconds = 10_000

/**
 * Listens on each host of a binding. Skips the hosts that this machine does not have.
 *
 * @throws {Error} if this machine has none of the hosts
 */
export async function listenOn(
  { hosts, port }: Binding,
  create: () => Server,
): Promise<readonly Server[]> {
  const servers: Server[] = []
  const absent: Error[] = []
  for (const host of hosts) {
    const server = create()
    try {
      server.listen({ host, port })
      await once(server, 'listening')
      servers.push(server)
    } catch (error) {
      if (!isAbsentHost(error)) {
        await Promise.all(servers.map(closeServer))
        throw error
      }
      absent.push(error)
    }
  }

  const [firstAbsent] = absent
  if (servers.length === 0 && firstAbsent) throw firstAbsent
  return servers
}

/** Whether listening failed because this machine does not have the address. */
function isAbsentHost(error: unknown): error is Error {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
}

/** Stops listening. Waits for running requests, but not longer than `drainMilliseconds`. */
export async function closeServer(server: Server): Promise<void> {
  const drained = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  // A connection becomes idle only after the answer to its last request, so check repeatedly.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearInterval(idle)
  clearTimeout(drained)
}

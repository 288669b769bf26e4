// Importing this file makes all servers of the process listen on free ports. Programs in the
// documents listen on fixed ports, and several of them run at the same time.
import { once } from 'node:events'
import { Server, type AddressInfo } from 'node:net'

/** The servers that have been told to listen. */
export const servers: Server[] = []

const { listen } = Server.prototype
Server.prototype.listen = function (this: Server, at: unknown, ...others: unknown[]) {
  servers.push(this)
  const free = typeof at === 'object' ? { ...at, port: 0 } : 0
  return Reflect.apply(listen, this, [free, ...others]) as Server
}

/** Returns the port of a server as soon as it listens. */
export async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

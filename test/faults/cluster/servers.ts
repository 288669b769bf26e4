// Stand-alone Keystile servers on one database, each in a process of its own.
import { startServer, type RunningServer } from '../../../packages/server/test-support/command.ts'
import { issuer, key } from '../../../packages/server/test-support/keystile.ts'
import type { Programs } from './programs.ts'

/** Servers and their database. */
export interface Servers {
  /** Where the servers answer, such as `http://localhost:8000`. */
  readonly urls: readonly string[]
  readonly servers: readonly RunningServer[]
  readonly database: string
}

/**
 * Starts servers, one after the other. Default: three.
 *
 * @param name the name of a new folder in which they work, so that they end with the programs
 */
export async function startServers(
  programs: Programs,
  {
    name,
    database,
    count = 3,
  }: { readonly name: string; readonly database: string; readonly count?: number },
): Promise<Servers> {
  const cwd = programs.makeFolder(name)
  const env = {
    KEYSTILE_DATABASE: database,
    KEYSTILE_ISSUER: issuer,
    KEYSTILE_KEY: key,
    KEYSTILE_RATE_LIMITS: 'off',
    KEYSTILE_TRUSTED_PROXIES: '127.0.0.1',
    KEYSTILE_GRACE_SECONDS: '60',
    KEYSTILE_ACCESS_TOKEN_SECONDS: '3600',
  }
  const servers: RunningServer[] = []
  while (servers.length < count) servers.push(await startServer({ cwd, env }))
  return { urls: servers.map(({ url }) => url), servers, database }
}

// Stand-alone Keystile servers on one database, each in a process of its own.
import { startServer, type RunningServer } from '../../../packages/server/test-support/command.ts'
import { issuer, key } from '../../../packages/server/test-support/keystile.ts'
import type { Programs } from './programs.ts'

/** @param folder names a new folder in which the servers work, so that they end with the programs */
export async function startServers(
  programs: Programs,
  { folder, database, count }: { folder: string; database: string; count: number },
): Promise<readonly RunningServer[]> {
  const cwd = programs.makeFolder(folder)
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
  for (let n = 0; n < count; n++) servers.push(await startServer({ cwd, env }))
  return servers
}

// The stand-alone server as it is published: built.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Program } from './process.ts'

const root = join(import.meta.dirname, '..')

/** `keystile serve` in a folder of its own. */
export function standAlone(cwd: string): Program {
  return {
    command: process.execPath,
    args: [join(root, 'packages/server/bin/keystile.cjs'), 'serve'],
    cwd,
    env: {
      KEYSTILE_HOST: '127.0.0.1',
      // Stays the same when the port does not: a database belongs to one issuer.
      KEYSTILE_ISSUER: 'http://localhost:8000',
      KEYSTILE_ACCESS_TOKEN_SECONDS: String(24 * 60 * 60),
    },
  }
}

/** What `npm run build` does. @throws {Error} when it does not compile */
export function build(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-b', 'packages/keystile', 'packages/server']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`)
}

// Runs the built stand-alone server, as it is published.
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Program } from './process.ts'

const root = join(import.meta.dirname, '..')
const binOf = (checkout: string): string => join(checkout, 'packages/server/bin/keystile.cjs')

/**
 * The issuer of every server, even if the server listens on a different port: a database belongs to
 * one issuer.
 */
export const issuer = 'http://localhost:8000'

/**
 * Returns the program `keystile serve` of a checkout that has been built. It runs in the folder
 * `cwd`.
 */
export function standAlone(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  checkout: string = root,
): Program {
  return {
    command: process.execPath,
    args: [binOf(checkout), 'serve'],
    cwd,
    env: {
      KEYSTILE_HOST: '127.0.0.1',
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_ACCESS_TOKEN_SECONDS: String(24 * 60 * 60),
      KEYSTILE_RATE_LIMITS: 'off',
      ...env,
    },
  }
}

/**
 * Runs a command of `keystile` in the folder `cwd`. @returns its output. @throws {Error} if the
 * command fails
 */
export function runCommand(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): string {
  return execFileSync(process.execPath, [binOf(root), ...args], {
    cwd,
    env: { ...env },
    encoding: 'utf8',
  })
}

/** Builds a checkout as `npm run build` does. @throws {Error} when it does not compile */
export function build(checkout: string = root): void {
  const compiler = [
    join(checkout, 'node_modules/typescript/bin/tsc'),
    '-b',
    'packages/keystile',
    'packages/server',
  ]
  for (const args of [compiler, [join(checkout, 'tools/bundle.ts')]]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: checkout,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`)
  }
}

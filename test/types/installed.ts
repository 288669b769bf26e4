// Installs keystile as an app would: built, with its package.json, and together with the
// frameworks.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const library = join(root, 'packages/keystile')

export interface Compiled {
  readonly passed: boolean
  /** What the compiler printed. */
  readonly output: string
}

/**
 * Runs TypeScript's compiler in a folder. In one thread, it needs half of the processor time: several
 * checkers would each compute the types that they share.
 */
export function compile(cwd: string, args: readonly string[]): Compiled {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [tsc, ...args, '--singleThreaded'],
    {
      cwd,
      encoding: 'utf8',
    },
  )
  return { passed: status === 0, output: stdout + stderr }
}

/**
 * Makes `node_modules` in a folder, with the packages that this repository has installed and newly
 * compiled declarations of keystile. It does not use `packages/keystile/dist`, which may be old or
 * incomplete.
 *
 * @throws {Error} when the compiler cannot emit the declarations
 */
export function installKeystile(folder: string): void {
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'keystile')
  mkdirSync(installed, { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'keystile')
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  copyFileSync(join(library, 'package.json'), join(installed, 'package.json'))
  const dist = join(installed, 'dist')
  const where = ['--outDir', dist, '--tsBuildInfoFile', join(folder, '.keystile.tsbuildinfo')]
  // `npm run check` checks the types.
  const emit = ['--emitDeclarationOnly', '--noCheck']
  const { passed, output } = compile(library, ['-p', '.', ...emit, ...where])
  if (!passed) throw new Error(`the declarations of keystile cannot be emitted:\n${output}`)
}

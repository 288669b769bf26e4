import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** A copy of the repository, in which a file may be changed while tests run. */
export interface Copy {
  write(file: string, source: string): void
  /** Runs test files in one process, up to the first failure. */
  test(files: readonly string[], timeoutSeconds: number): Promise<Outcome>
  remove(): void
}

export type Outcome = 'passed' | 'failed' | 'timed out'

const leftOut = new Set(['node_modules', '.git', 'dist', 'data'])
const reporter = join(import.meta.dirname, 'mutate-first-failure.ts')

/**
 * Copies the repository at `root` into a temporary folder. Packages are linked from where they are; a package of the
 * repository itself is linked to its own copy, so no test ever reaches the original.
 *
 * @param env what the tests find in their environment beside ours
 */
export function copyTree(root: string, env: Readonly<Record<string, string>>): Copy {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'keystile-mutate-')))
  const tree = join(folder, 'tree')
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary)
  const isWanted = (path: string): boolean =>
    !relative(root, path)
      .split(/[\\/]/)
      .some((name) => leftOut.has(name))
  cpSync(root, tree, { recursive: true, filter: isWanted })
  linkPackages(root, tree, 'node_modules')
  const running = new Set<() => void>()
  const remove = (): void => {
    process.off('exit', remove)
    for (const end of running) end()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  process.once('exit', remove)
  return {
    write: (file, source) => writeFileSync(join(tree, file), source),
    test: (files, timeoutSeconds) =>
      runTests(files, { cwd: tree, env: { ...environment(), TMPDIR: temporary, ...env }, timeoutSeconds, running }),
    remove,
  }
}

/** Links every entry of a folder of packages; the packages of a scope one by one. */
function linkPackages(root: string, tree: string, folder: string): void {
  mkdirSync(join(tree, folder))
  for (const name of readdirSync(join(root, folder))) {
    const entry = `${folder}/${name}`
    if (name.startsWith('@')) linkPackages(root, tree, entry)
    else {
      const target = realpathSync(join(root, entry))
      const inside = relative(realpathSync(root), target)
      const isOurs = !inside.startsWith('..') && !inside.startsWith('node_modules')
      symlinkSync(isOurs ? relative(dirname(join(tree, entry)), join(tree, inside)) : target, join(tree, entry))
    }
  }
}

/** Ours, without what would tell the tests that they run inside a test, or that nothing may be skipped. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, CI: __, KEYSTILE_TEST_DATABASE_URL: ___, KEYSTILE_LONG: ____, ...env } = process.env
  return env
}

function runTests(
  files: readonly string[],
  {
    running,
    ...options
  }: {
    readonly cwd: string
    readonly env: NodeJS.ProcessEnv
    readonly timeoutSeconds: number
    readonly running: Set<() => void>
  },
): Promise<Outcome> {
  const args = [
    '--conditions=source',
    '--test',
    '--test-isolation=none',
    '--test-force-exit',
    `--test-reporter=${reporter}`,
  ]
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  // A group of its own: what a test has started ends with it.
  const child = spawn(process.execPath, [...args, ...files], {
    cwd: options.cwd,
    env: options.env,
    stdio: 'ignore',
    detached: true,
  })
  const endGroup = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  running.add(endGroup)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    endGroup()
  }, options.timeoutSeconds * 1000)
  child.once('error', reject)
  child.once('exit', (code) => {
    clearTimeout(timer)
    endGroup()
    running.delete(endGroup)
    resolve(timedOut ? 'timed out' : code === 0 ? 'passed' : 'failed')
  })
  return promise
}

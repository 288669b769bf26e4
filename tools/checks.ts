// The checks that read the source without running it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Check {
  readonly name: string
  /** A script that runs on this Node, and its arguments. */
  readonly command: readonly string[]
  /**
   * Returns the number of files that the check has read, according to its output. If this number is
   * 0, the check has failed, even if its exit code is 0.
   */
  readonly filesRead: (output: string) => number
  /** The part of the output that is shown after a failure. */
  readonly shown?: (output: string) => string
}

export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly files: number
  readonly seconds: number
  readonly output: string
}

/**
 * Returns the last number of files in an output, for example 12 for "12 files". The last number is
 * the sum.
 */
const saysFiles = (output: string): number =>
  Number([...output.matchAll(/\b(\d+) files?\b/g)].at(-1)?.[1] ?? 0)

/**
 * Whether a line names a file. tsc writes the absolute path of each file that it reads on a
 * separate line.
 */
const isListed = (line: string): boolean => /^(?:\/|[A-Z]:).*\.(?:[cm]?ts|json)$/.test(line)
const listsFiles = (output: string): number =>
  output.split('\n').filter((line) => isListed(line) && !line.includes('/node_modules/')).length
const withoutList = (output: string): string =>
  output
    .split('\n')
    .filter((line) => !isListed(line))
    .join('\n')

const tsc = 'node_modules/typescript/bin/tsc'
/**
 * With several threads, the compiler needs twice the processor time: each thread computes the types
 * that they share. The checks run at the same time anyway.
 */
const oneThread = '--singleThreaded'

export const checks: readonly Check[] = [
  {
    name: 'types',
    command: [tsc, '--noEmit', oneThread, '--listFiles'],
    filesRead: listsFiles,
    shown: withoutList,
  },
  {
    // Compiles the published code with stricter options than the check `types`.
    name: 'build',
    command: [
      tsc,
      '-b',
      oneThread,
      '--force',
      '--listFiles',
      'packages/keystile',
      'packages/server',
    ],
    filesRead: listsFiles,
    shown: withoutList,
  },
  {
    name: 'lint',
    command: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
    filesRead: saysFiles,
  },
  {
    name: 'format',
    command: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'],
    filesRead: saysFiles,
  },
  {
    // If a pattern matches no file, knip reports a hint, and this check fails at hints. So it
    // cannot pass without reading files.
    name: 'unused',
    command: [
      'node_modules/knip/bin/knip.js',
      '--treat-config-hints-as-errors',
      '--exclude',
      'optionalPeerDependencies',
    ],
    filesRead: () => 1,
  },
  { name: 'rooms', command: ['tools/check-rooms.ts'], filesRead: saysFiles },
]

/** Runs one check in the folder `root`. */
export async function runCheck(check: Check, root: string): Promise<CheckResult> {
  const startedAt = performance.now()
  const [script, ...args] = check.command
  const child = spawn(process.execPath, [join(root, script!), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [code, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
  const output = out + err
  const files = check.filesRead(output)
  return {
    name: check.name,
    passed: code === 0 && files > 0,
    files,
    seconds: (performance.now() - startedAt) / 1000,
    output:
      code === 0 && files === 0
        ? `${output}\nIt read no files.`
        : (check.shown?.(output) ?? output),
  }
}

/** Returns the output of the checks that failed, and a table of all checks. */
export function report(results: readonly CheckResult[]): string {
  const failures = results
    .filter(({ passed }) => !passed)
    .map(({ name, output }) => `--- ${name}\n${output.trim()}\n`)
  const lines = results.map(
    ({ name, passed, files, seconds }) =>
      `${name.padEnd(8)} ${passed ? 'passed' : 'FAILED'} ${String(files).padStart(5)} files ` +
      `${seconds.toFixed(1).padStart(6)} s`,
  )
  return [...failures, ...lines].join('\n')
}

// Finds the mutants that do not compile. `npm run check` refuses them, so they need no test.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root, type Mutant } from './mutants.ts'

/**
 * Returns the ids of the mutants with a type error. Writes each mutant into a file of its own and
 * compiles all files in one run. So it does not see errors that a mutant causes in other files. But
 * there are few: the types of all exports are written down (`isolatedDeclarations`).
 *
 * @throws {Error} if the compiler does not run, or if even unchanged files do not compile
 */
export function findUncompiled(mutants: readonly Mutant[]): ReadonlySet<string> {
  const folder = join(root, '.stryker/types', String(process.pid))
  rmSync(folder, { recursive: true, force: true })
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  for (const { id, file, text } of mutants) write(file.replace(/\.ts$/, `.mutant-${id}.ts`), text)

  // `rootDirs` lets the copies import the neighbours of the original.
  const options = { rootDirs: [root, folder], types: ['node'], incremental: false }
  const extended = relative(folder, join(root, 'tsconfig.json'))
  write(
    'tsconfig.json',
    JSON.stringify({ extends: extended, compilerOptions: options, include: ['.'], exclude: [] }),
  )
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [compiler, '-p', folder, '--pretty', 'false', '--listFiles'],
      { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30 },
    )
    const read = stdout.match(/^\/.*\.mutant-\d+\.ts$/gm)?.length ?? 0
    if (read !== mutants.length) throw new Error(`tsc read ${read} mutants:\n${stdout}${stderr}`)
    const failed = new Set<string>()
    for (const [line, id] of stdout.matchAll(
      /^(?:\S*\.mutant-(\d+)\.ts|\S+)\(\d+,\d+\): error .*/gm,
    )) {
      if (id === undefined) throw new Error(`an unchanged file does not compile: ${line}`)
      failed.add(id)
    }
    return failed
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

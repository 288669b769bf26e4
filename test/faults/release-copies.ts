// Copies of the source, so that two releases can run at the same time.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const program = 'packages/server/src/cli/main.ts'

/**
 * The file whose commit is the old release: the first one that reads the schema mark. Every later
 * release must run beside it, until a migration contracts; then name the file of that migration.
 */
const firstFile = 'packages/server/src/storage/migrations/0016-schema-mark.ts'

/**
 * Returns the commit of the old release. Undefined if git does not know it: this is not a
 * repository, or it is a shallow clone, in which the oldest commit seems to add all files.
 */
export function findOldCommit(): string | undefined {
  try {
    if (git('rev-parse', '--is-shallow-repository').toString().trim() !== 'false') return undefined

    const adding = git('log', '--diff-filter=A', '--format=%H', '--', firstFile).toString()
    return adding.trim().split('\n').at(-1) || undefined
  } catch {
    return undefined
  }
}

/** Copies the packages of a commit, with the installed packages of today. Returns the program. */
export function copyCommit(commit: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const archive = git('archive', '--format=tar', commit, 'packages', 'package.json')
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  linkModules(folder)
  return join(folder, program)
}

/** Copies the packages of this source. Returns the program. */
export function copyWorkingTree(folder: string): string {
  const isSource = (path: string): boolean => !/[/\\](?:node_modules|dist|bundle)$/.test(path)
  for (const name of ['packages', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: isSource })
  linkModules(folder)
  return join(folder, program)
}

/**
 * Adds a migration to a copy, which adds a column and a table.
 *
 * @param main the program of the copy, as the other functions return it
 * @param kind whether the migration says that it expands, or that it contracts
 */
export function addMigration(main: string, kind: 'expands' | 'contracts'): string {
  const storage = join(main, '../../storage')
  writeFileSync(
    join(storage, 'migrations/9999-made-up.ts'),
    `export async function up(db) {
      await db.schema
        .alterTable('user')
        .addColumn('made_up', 'text', (column) => column.notNull().defaultTo('x'))
        .execute()
      await db.schema.createTable('made_up').addColumn('id', 'text').execute()
    }`,
  )
  const list = join(storage, 'migrations.ts')
  const text = readFileSync(list, 'utf8')
  const entry = `'9999-made-up': ${kind === 'expands' ? 'expands(madeUp)' : 'contracts(madeUp, 9999)'},`
  const added = text.replace(/^(const marked: .* = \{)$/m, `$1\n  ${entry}`)
  assert.notEqual(added, text)
  writeFileSync(list, `import * as madeUp from './migrations/9999-made-up.ts'\n${added}`)
  return main
}

/** Makes imports of the two packages lead to the copy, and all others to the installed ones. */
function linkModules(folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@keystile'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!['keystile', '@keystile'].includes(name))
      symlinkSync(realpathSync(join(root, 'node_modules', name)), join(modules, name), 'junction')
  symlinkSync(join(folder, 'packages/keystile'), join(modules, 'keystile'), 'junction')
  symlinkSync(join(folder, 'packages/server'), join(modules, '@keystile/server'), 'junction')
}

function git(...args: readonly string[]): Buffer {
  return execFileSync('git', args, { cwd: root, stdio: 'pipe', maxBuffer: 256 * 1024 * 1024 })
}

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { importsOf } from '../../../../tools/imports.ts'
import type { QueueCommands, QueuedRow } from '../features/operations/queue/rows.ts'
import type { AnyCommand } from '../storage/database.ts'
import { commands, underLease } from './commands.ts'

const source = join(import.meta.dirname, '..')

/**
 * Lists the modules that a file loads at run time, directly or through other files: files of this
 * package, and names of other packages.
 */
function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const { specifier, typeOnly } of importsOf(readFileSync(file, 'utf8'))) {
    if (typeOnly) continue
    if (specifier.startsWith('.')) loadedBy(join(dirname(file), specifier), found)
    else found.add(specifier)
  }
  return found
}

/** Whether an export of a store has the commands on the rows of a queue. */
function isQueue(member: unknown): member is QueueCommands<QueuedRow> {
  return typeof member === 'object' && member !== null && 'claim' in member && 'retry' in member
}

function isCommand(member: unknown): member is AnyCommand {
  return typeof member === 'object' && member !== null && 'run' in member && 'name' in member
}

describe('the commands of the writer thread', () => {
  it('the writer thread has `underLease` and all store commands under their names', async () => {
    const stores = globSync('features/**/*store.ts', { cwd: source })
    assert.ok(stores.length > 8, stores.join())
    const defined: string[] = []
    for (const store of stores) {
      const members = (await import(join(source, store))) as Readonly<Record<string, unknown>>
      for (const [exported, member] of Object.entries(members)) {
        const ofQueue = isQueue(member) ? Object.values(member) : undefined
        for (const one of (ofQueue ?? [member]).filter(isCommand)) {
          assert.match(one.name, ofQueue ? /^[a-z]+:[a-z_]+$/ : new RegExp(`^${exported}$`))
          defined.push(one.name)
        }
      }
    }
    // These commands run a list of all features.
    defined.push(underLease.name, 'deleteUser', 'finishRestore', 'forgetUser')
    assert.deepEqual(commands.map(({ name }) => name).toSorted(), defined.toSorted())
    assert.equal(new Set(defined).size, defined.length)
    assert.ok(defined.every((name) => /^[a-z]+/i.test(name)))
  })

  it('the writer thread does not load schemas, the command line or HTTP', () => {
    const loaded = [...loadedBy(join(source, 'server/writer-thread.ts'))].map((path) =>
      relative(source, path),
    )
    assert.ok(loaded.includes('features/tokens/sessions/store.ts'))
    assert.deepEqual(
      loaded.filter((path) => /zod|^cli\/|^http\/|^listener\/|node:http|node:net/.test(path)),
      [],
    )
  })
})

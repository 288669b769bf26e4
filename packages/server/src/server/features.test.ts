import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { auditEvents, rates } from './features.ts'

const source = join(import.meta.dirname, '..')

/** The files of features that declare records of one kind, and what each exports. */
async function declarationsIn(name: string): Promise<readonly (readonly [file: string, exports: object])[]> {
  const files = globSync(`*/**/${name}`, { cwd: source }).toSorted()
  return Promise.all(files.map(async (file) => [file, (await import(join(source, file))) as object] as const))
}

/** The source beside a file that declares records, its folder's tests left out. */
function sourceBeside(file: string): string {
  const files = globSync('**/*.ts', { cwd: join(source, dirname(file)) }).map((path) => join(dirname(file), path))
  return files
    .filter((path) => path !== file && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(source, path), 'utf8'))
    .join('\n')
}

/** The names in the lists of a file. */
function namesIn(exports: object): readonly string[] {
  return Object.values(exports).flat().map(String)
}

/** The constants of a file that are records with a name. */
function recordsOf(exports: object): readonly (readonly [constant: string, record: { readonly name: string }])[] {
  return Object.entries(exports).filter(([, value]) => !Array.isArray(value) && typeof value === 'object')
}

function namesOf(records: readonly { readonly name: string }[]): readonly string[] {
  return records.map(({ name }) => name).toSorted()
}

describe('the audit events of features', () => {
  it('are all that features declare, each by a name of its own', async () => {
    const declared = (await declarationsIn('audit-events.ts')).flatMap(([, exports]) => namesIn(exports))
    assert.deepEqual(auditEvents.toSorted(), declared.toSorted())
    assert.equal(new Set(declared).size, declared.length)
  })

  it('are each written by the feature that declares it', async () => {
    for (const [file, exports] of await declarationsIn('audit-events.ts')) {
      const written = sourceBeside(file)
      for (const event of namesIn(exports))
        assert.match(written, new RegExp(`(event: |record\\()'${event}'`), `${event} of ${file}`)
    }
  })
})

describe('the rate limits of features', () => {
  it('are all that features declare, each by a name of its own', async () => {
    const declared = (await declarationsIn('rates.ts')).flatMap(([, exports]) => recordsOf(exports))
    assert.deepEqual(namesOf(rates), namesOf(declared.map(([, record]) => record)))
    assert.equal(new Set(namesOf(rates)).size, rates.length)
  })

  it('are each counted by the feature that declares it', async () => {
    for (const [file, exports] of await declarationsIn('rates.ts'))
      for (const [constant] of recordsOf(exports))
        assert.match(sourceBeside(file), new RegExp(`(useOf|usesAt)\\(${constant},`), `${constant} of ${file}`)
  })
})

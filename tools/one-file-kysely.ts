// Makes every test process load Kysely from one file.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** The imports of Kysely in the source, and the names of their files. */
const entries = { kysely: 'kysely', 'kysely/migration': 'kysely-migration' } as const

/**
 * Bundles Kysely into a folder, and returns the option that makes Node use the bundle. Kysely has
 * 300 files. To read them takes most of the time that a test needs to start the writer thread, and
 * `npm test` starts a thousand threads and processes that read them. The published server is also
 * bundled (decisions/0009-bundle-the-server.md).
 */
export async function bundleKysely(folder: string): Promise<string> {
  await build({
    entryPoints: Object.entries(entries).map(([from, out]) => ({ in: from, out })),
    absWorkingDir: join(import.meta.dirname, '../packages/server'),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  })
  const urlOf = (file: string): string => pathToFileURL(join(folder, file)).href
  const urls = Object.entries(entries).map(([from, out]) => [from, urlOf(`${out}.mjs`)])
  // An old Node has no registerHooks. It does not run the server either.
  const hook = `import module from 'node:module'
const urls = new Map(${JSON.stringify(urls)})
module.registerHooks?.({
  resolve(specifier, context, next) {
    const url = urls.get(specifier)
    return url ? { url, format: 'module', shortCircuit: true } : next(specifier, context)
  },
})
`
  writeFileSync(join(folder, 'hook.mjs'), hook)
  return `--import=${urlOf('hook.mjs')}`
}

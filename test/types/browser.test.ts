// Compiles keystile/client in a browser program, with the types of the DOM and none of Node.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { compile, installKeystile } from './installed.ts'

const program = `
  import { browserStorage, createClient, memoryStorage } from 'keystile/client'
  import type { ApiClient, TokenStorage } from 'keystile/client'
  export const own: TokenStorage = memoryStorage()
  export const client: ApiClient = createClient({
    issuer: 'https://a.example',
    storage: browserStorage(),
    fetch: window.fetch,
  })
  const request = new Request('/items')
  export const answer: Promise<Response> = client.fetch(request, { priority: 'high' })`

it('keystile/client compiles without the type definitions of Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-browser-'))
  try {
    installKeystile(folder)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(folder, 'app.ts'), program)
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      types: [],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      noEmit: true,
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['app.ts'] }),
    )
    const { passed, output } = compile(folder, ['-p', '.'])
    assert.ok(passed, output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

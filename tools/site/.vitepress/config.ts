// How VitePress makes a site of the same Markdown files that people read in the repository.
// Everything comes from the site itself: fonts, scripts, and the search, which needs no service.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const root = join(import.meta.dirname, '../../..')

const pages: Record<string,string[]> = {}
const unused = {
  Tutorial: [
    'docs/tutorial/1-accounts',
    'docs/tutorial/2-guard',
    'docs/tutorial/3-caller',
    'docs/tutorial/4-scopes',
    'docs/tutorial/5-docs',
    'docs/tutorial/6-sessions',
    'docs/tutorial/7-tests',
    'docs/tutorial/8-production',
  ],
} as const

/** Returns the first heading of a page. */
function titleOf(page: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(root, `${page}.md`), 'utf8'))?.[1] ?? page
}

export default defineConfig({
  title: 'Keystile',
  description: 'JWT authentication for TypeScript APIs',
  srcDir: '../..',
  srcExclude: ['**/node_modules/**', 'packages/**', 'test/**', 'tools/**', 'examples/**', '.stryker/**'],
  outDir: '../../dist/site',
  rewrites: { 'README.md': 'index.md' },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    sidebar: Object.entries(pages).map(([text, group]) => ({
      text,
      items: group.map((page) => ({ text: titleOf(page), link: `/${page}` })),
    })),
  },
})

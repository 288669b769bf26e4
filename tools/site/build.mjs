// Copies the pages here, where VitePress finds its packages, and builds the site into dist/site.
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vitepress'

const root = join(import.meta.dirname, '../..')
const pages = join(import.meta.dirname, 'pages')

rmSync(pages, { recursive: true, force: true })
for (const file of globSync(['*.md', '{docs,bench,decisions}/**/*.{md,png,svg}'], { cwd: root }))
  cpSync(join(root, file), join(pages, file))

await build(import.meta.dirname)

// How VitePress makes a site of the Markdown files that people also read in the repository. The
// site asks no other host for anything: fonts, scripts and the search index are its own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const root = join(import.meta.dirname, '../../..')

const sections: Readonly<Record<string, readonly string[]>> = {
  Tutorial: [
    'index',
    '1-accounts',
    '2-guard',
    '3-caller',
    '4-scopes',
    '5-docs',
    '6-sessions',
    '7-second-factors',
    '8-tests',
    '9-production',
  ],
  Guides: [
    'index',
    'install',
    'hono',
    'fastify',
    'express',
    'node',
    'web',
    'nest',
    'users-in-code',
    'own-users',
    'verify-only',
    'other-issuers',
    'clients',
    'browsers',
    'openapi',
    'protected-resource',
    'testing',
    'deployment',
    'proxy',
    'database',
    'backup',
    'upgrades',
    'signing-keys',
    'monitoring',
    'faults',
    'audit',
    'mail',
    'second-factors',
    'pages',
    'brand',
    'from-fastapi',
    'from-passport-jwt',
    'from-express-jwt',
  ],
  Reference: [
    'index',
    'settings',
    'commands',
    'endpoints',
    'bodies',
    'revocation-feed',
    'limits',
    'answers',
    'refused',
    'doctor',
    'messages',
    'imports',
    'runtimes',
  ],
  Explanations: [
    'index',
    'token',
    'login',
    'sessions',
    'browser-security',
    'revocation',
    'passwords',
    'guessing',
  ],
}
const others = ['SECURITY', 'CHANGELOG', 'ARCHITECTURE', 'CONTRIBUTING', 'bench/README']

function link(page: string): { text: string; link: string } {
  const [, title = page] = /^# (.+)$/m.exec(readFileSync(join(root, `${page}.md`), 'utf8')) ?? []
  return { text: title, link: `/${page}` }
}

export default defineConfig({
  lang: 'en',
  title: 'Keystile',
  description: 'JWT authentication for TypeScript APIs',
  srcDir: 'pages',
  outDir: '../../dist/site',
  rewrites: { 'README.md': 'index.md' },
  markdown: {
    linkify: false, // URLs in the text are examples
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    nav: [
      link('docs/tutorial/index'),
      link('docs/guides/index'),
      link('docs/reference/index'),
      link('docs/explanations/index'),
    ],
    sidebar: [
      ...Object.entries(sections).map(([text, pages]) => ({
        text,
        items: pages.map((page) => link(`docs/${text.toLowerCase()}/${page}`)),
      })),
      { text: 'Project', items: others.map(link) },
    ],
  },
})

// What others publish is pinned by its hash: actions, images, and the packages in the image. A tag
// can be moved to other content.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Returns what the first group of a pattern matches in the files. */
function findAll(files: string, pattern: RegExp): readonly string[] {
  return globSync(files, { cwd: root }).flatMap((file) =>
    [...read(file).matchAll(pattern)].map(([, found = '']) => found),
  )
}

it('workflows name each action by its commit, with the version as a comment', () => {
  const actions = findAll('.github/workflows/*.yml', /^[ -]*uses: (.+)$/gm)
  assert.ok(actions.length >= 7, actions.join('\n'))
  for (const action of actions)
    assert.match(action, /^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

it('workflows and deploy/ name each image of others by its tag and digest', () => {
  const images = [
    ...findAll('{.github/workflows/*.yml,deploy/*.{yml,yaml}}', /^[ -]*image: (.+)$/gm),
    ...findAll('deploy/Dockerfile', /^(?:FROM|ARG NODE_IMAGE=) ?(\S+)/gm),
  ].filter((image) => !/(?:^|\/)keystile(?::\S+)?$|^\$\{NODE_IMAGE\}$/.test(image))
  assert.ok(images.length >= 3, images.join('\n'))
  for (const image of images) assert.match(image, /^[\w/-]+:[\w.-]+@sha256:[0-9a-f]{64}$/)
})

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
}

const packagesIn = (folder: string): Readonly<Record<string, Locked>> =>
  (
    JSON.parse(read(join(folder, 'package-lock.json'))) as {
      readonly packages: Readonly<Record<string, Locked>>
    }
  ).packages

it('the image installs what the server needs, in the versions that the tests run with', () => {
  type Needs = Readonly<
    Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>
  >
  const needsOf = (file: string): Needs => JSON.parse(read(file)) as Needs
  const { keystile: _own, ...needed } = needsOf('packages/server/package.json').dependencies
  const { pg } = needsOf('package.json').devDependencies
  assert.deepEqual(needsOf('deploy/package.json').dependencies, { ...needed, pg })

  const { '': _root, ...inImage } = packagesIn('deploy')
  const tested = packagesIn('.')
  assert.ok(Object.keys(inImage).length > 30)
  for (const [path, { version, integrity }] of Object.entries(inImage)) {
    assert.match(String(integrity), /^sha512-/, path)
    assert.deepEqual([version, integrity], [tested[path]?.version, tested[path]?.integrity], path)
  }
})

it('no file of the repository names the host of a registry', () => {
  const host =
    /\b(?:registry\.(?:npmjs|yarnpkg)\.|npm\.pkg\.|(?:docker|ghcr|gcr|quay|jsr)\.io\b|pypi\.org\b|unpkg\.)/
  const generated = /^(?:node_modules|dist|bundle|data|tarballs|pages|\.git|\.stryker|blocks-.*)$/
  const files = globSync(['**/*', '**/.*', '.{ci,github}/**'], {
    cwd: root,
    withFileTypes: true,
    exclude: ({ name }) => generated.test(name),
  }).filter((entry) => entry.isFile())
  assert.ok(files.length > 1_000)
  for (const { parentPath, name } of files) {
    const [found] = host.exec(readFileSync(join(parentPath, name), 'utf8')) ?? []
    assert.equal(found, undefined, `${join(parentPath, name)}: leave the host out, npm knows it`)
  }
})

it('no lock file says from where npm fetches a package', () => {
  for (const file of globSync('**/package-lock.json', {
    cwd: root,
    exclude: ['**/node_modules', '**/test/docs/blocks-*'],
  }))
    for (const [path, { resolved }] of Object.entries(packagesIn(join(file, '..'))))
      assert.ok(!resolved?.includes(':'), `${file}: ${path}`)
})

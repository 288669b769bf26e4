// Packs both packages as npm would publish them, and makes apps that have installed them.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before } from 'node:test'

const root = join(import.meta.dirname, '../..')
const modules = join(root, 'node_modules')

/** The folder of each unpacked package, by the name of the package. */
export type Packed = Readonly<Record<string, string>>

/**
 * Runs `npm run pack` in a copy of the repository, and unpacks the tarballs. It uses a copy because
 * other tests build and read the packages here.
 *
 * @throws {Error} when it fails
 */
export function pack(folder: string): Packed {
  const copy = copyRepository(folder, ['tools'])
  for (const file of ['LICENSE', 'CHANGELOG.md']) cpSync(join(root, file), join(copy, file))
  withoutTypeChecks(copy)

  execFileSync('npm', ['run', 'pack'], { cwd: copy, stdio: ['ignore', 'pipe', 'inherit'] })

  const packed: Record<string, string> = {}
  for (const tarball of readdirSync(join(copy, 'tarballs'))) {
    const unpacked = mkdtempSync(join(folder, 'unpacked-'))
    execFileSync('tar', ['xzf', join(copy, 'tarballs', tarball), '-C', unpacked])
    const name = manifestOf(join(unpacked, 'package')).name
    packed[name] = join(unpacked, 'package')
  }
  return packed
}

/**
 * Makes the build of a copy emit without checking the types, which takes a third of the time.
 * `npm run check` checks them.
 */
function withoutTypeChecks(copy: string): void {
  const file = join(copy, 'tsconfig.base.json')
  const { compilerOptions } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly compilerOptions: object
  }
  const options = { compilerOptions: { ...compilerOptions, noCheck: true } }
  writeFileSync(file, JSON.stringify(options))
}

/**
 * Copies both packages and `parts` of the repository, without what a build has made. Returns the
 * folder of the copy.
 */
export function copyRepository(folder: string, parts: readonly string[]): string {
  const copy = join(folder, 'repository')
  const isSource = (path: string): boolean => !/[\\/](?:dist|bundle|data|node_modules)$/.test(path)
  for (const part of ['packages', 'package.json', 'tsconfig.base.json', ...parts])
    cpSync(join(root, part), join(copy, part), { recursive: true, filter: isSource })

  const own: Readonly<Record<string, string>> = {
    keystile: join(copy, 'packages/keystile'),
    '@keystile/server': join(copy, 'packages/server'),
  }
  for (const name of packagesIn(modules)) link(own[name] ?? join(modules, name), copy, name)
  symlinkSync(join(modules, '.bin'), join(copy, 'node_modules/.bin'))
  symlinkSync(join(modules, '.package-lock.json'), join(copy, 'node_modules/.package-lock.json'))
  return copy
}

/**
 * Makes an app that has installed one of the packages, the dependencies of that package, and
 * `others`. The app can import nothing else. Resolve with `preserveSymlinks`.
 */
function makeApp(packed: Packed, name: string, others: readonly string[]): string {
  const app = mkdtempSync(join(tmpdir(), 'keystile-app-'))
  const install = (name: string): void => {
    if (existsSync(join(app, 'node_modules', name))) return
    const from = packed[name] ?? join(modules, name)
    // A packed package is copied. Node would resolve a link, and not find the packages of the app
    // from its target.
    if (packed[name]) cpSync(from, join(app, 'node_modules', name), { recursive: true })
    else link(from, app, name)
    for (const needed of Object.keys(manifestOf(from).dependencies ?? {})) install(needed)
  }
  for (const one of [name, ...others]) install(one)
  return app
}

/**
 * Packs both packages before the tests of a suite, and deletes everything after them. Call it in
 * `describe`.
 */
export function usePacked(): {
  /** The packages. Empty before the first test. */
  packed(): Packed
  /** Makes an app, as `makeApp` does. */
  app(name: string, others: readonly string[]): string
} {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-packed-'))
  const apps: string[] = []
  let packed: Packed = {}
  before(() => {
    packed = pack(folder)
  })
  after(() => {
    for (const made of [folder, ...apps]) rmSync(made, { recursive: true })
  })

  return {
    packed: () => packed,
    app(name, others) {
      const made = makeApp(packed, name, others)
      apps.push(made)
      return made
    },
  }
}

function link(from: string, folder: string, name: string): void {
  const at = join(folder, 'node_modules', name)
  mkdirSync(dirname(at), { recursive: true })
  symlinkSync(from, at)
}

function packagesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
}

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

// Packs both packages into tarballs/ after a build: `npm run pack`. An app installs them from
// there, and a release publishes them.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const tarballs = join(root, 'tarballs')

rmSync(tarballs, { recursive: true, force: true })
mkdirSync(tarballs)
const packed = ['keystile', 'server'].map((name) => pack(join(root, 'packages', name)))

console.log(`
To install them in an app, run there:

  npm install ${packed.join(' ')}
`)

/** Packs a package. @returns the path of its tarball */
function pack(folder: string): string {
  // npm publishes these files only if they are in the folder of the package.
  for (const file of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(root, file), join(folder, file))

  // Uses a shell, because npm on Windows is a script and not a program. A shell splits arguments at
  // spaces, but no argument here has one.
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['pack', '--ignore-scripts', '--pack-destination', relative(folder, tarballs)],
    { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' },
  )
  if (status !== 0) throw new Error(`npm pack must succeed in ${folder}; it said: ${stderr}`)
  const file = stdout.trim().split('\n').at(-1) ?? ''
  return join(tarballs, file)
}

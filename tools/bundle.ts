// Bundles the compiled server for publication. decisions/0009-bundle-the-server.md says why:
// without a bundle, two threads would read all files at every start, and Kysely alone has 300
// files. The other packages that the server needs at run time stay dependencies. The source imports
// Zod as a namespace (`import * as z`). Otherwise the bundle would contain Zod's messages in all
// languages.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const server = join(import.meta.dirname, '../packages/server')
const bundle = join(server, 'bundle')

rmSync(bundle, { recursive: true, force: true })
const common: BuildOptions = {
  absWorkingDir: join(server, 'dist'),
  outbase: '.',
  outdir: bundle,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  legalComments: 'linked',
  logLevel: 'warning',
}
const external = ['pg', 'pino', 'nodemailer', '@node-rs/argon2', '@node-rs/bcrypt', '#*']
// This bundle does not contain the library: an app and the server must import the same one, so that
// errors and types are the same.
await build({
  ...common,
  entryPoints: ['index.js', 'docs.js'],
  external: [...external, 'keystile', 'keystile/*'],
})
/**
 * Puts the code of all commands into one file. Otherwise the bundle would consist of thirty files,
 * and a start would take longer to read these than to read one file.
 */
const allCommandsAtOnce: Plugin = {
  name: 'all commands at once',
  setup({ onLoad }) {
    onLoad({ filter: /(?:commands|feature)\.js$/ }, ({ path }) => {
      const imports: string[] = []
      const contents = readFileSync(path, 'utf8').replaceAll(
        /\bawait import\(('[^']+')\)/g,
        (_, file: string) => {
          imports.push(`import * as code${imports.length} from ${file}\n`)
          return `code${imports.length - 1}`
        },
      )
      return { contents: imports.join('') + contents }
    })
  },
}
// The bundles of the command and its threads contain the library. If they did not, a start would
// have to read 70 more files.
const { metafile } = await build({
  ...common,
  metafile: true,
  plugins: [allCommandsAtOnce],
  entryPoints: [
    'cli/main.js',
    'server/writer-thread.js',
    'features/credentials/password/hash-thread.js',
  ],
  external,
})
const late = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ kind, external: isPackage }) => kind === 'dynamic-import' && !isPackage)
if (late.length > 0) {
  const files = late.map(({ path }) => path).join(', ')
  throw new Error(`the command must be one file; its bundle would also load ${files}`)
}

// Copies Swagger UI, so that /docs loads nothing from other hosts. A server that runs from source
// reads the same files in node_modules.
const from = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
const to = join(bundle, 'vendor/swagger-ui')
mkdirSync(to, { recursive: true })
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE'])
  copyFileSync(join(from, file), join(to, file))

// Copies into the built server what it serves and did not make: Swagger UI, for a /docs that asks no other host. From
// source the server reads the same files where npm has put them.
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const from = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
const to = join(import.meta.dirname, '../packages/server/dist/vendor/swagger-ui')
const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']

mkdirSync(to, { recursive: true })
for (const file of files) copyFileSync(join(from, file), join(to, file))
console.log(`${files.length} files of Swagger UI are in ${to}`)

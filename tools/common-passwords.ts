// Writes packages/server/blocklist/common-passwords.txt, the blocklist of new passwords, from the
// list of zxcvbn-ts:
//   node tools/common-passwords.ts
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const from = dirname(fileURLToPath(import.meta.resolve('@zxcvbn-ts/language-common/package.json')))
const to = join(import.meta.dirname, '../packages/server/blocklist')

/** Returns the list, most common first, in lower case. */
export function readCommonPasswords(): readonly string[] {
  return JSON.parse(readFileSync(join(from, 'src/passwords.json'), 'utf8'))
}

/** Returns the text of the file: one password a line, sorted by bytes as the search needs it. */
export function writtenOut(passwords: readonly string[]): string {
  const lines = passwords.map((password) => Buffer.from(`${password}\n`))
  return Buffer.concat(lines.toSorted(Buffer.compare)).toString()
}

if (import.meta.main) {
  writeFileSync(join(to, 'common-passwords.txt'), writtenOut(readCommonPasswords()))
  copyFileSync(join(from, 'LICENSE.txt'), join(to, 'LICENSE-zxcvbn-ts'))
}

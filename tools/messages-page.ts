// Writes docs/reference/messages.md: what Keystile says to each of the wrong uses in test/messages.
//
//   node --conditions=source tools/messages-page.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, wrongUses, type WrongUse } from '../test/messages/wrong-uses.ts'

const intro = `# What Keystile says to mistakes

Wrong settings and usages, and the message for each. A message says what must be, what came instead, and the fix, in the words in which
the setting was given: an option, a variable or a flag. No message holds a secret. Not here: [why a token was refused](refused.md), and
[safety rules](doctor.md).

<!-- Written by tools/messages-page.ts, and checked by test/messages. -->
`

/** Returns the page. */
export async function writeMessages(): Promise<string> {
  const parts = [intro]
  for (const { title, uses } of wrongUses) {
    const rows = []
    for (const use of uses) rows.push(await rowOf(use)) // commands run one at a time
    parts.push([`## ${title}`, '', '| written | said |', '| --- | --- |', ...rows, ''].join('\n'))
  }
  return parts.join('\n')
}

async function rowOf(use: WrongUse): Promise<string> {
  const said = (await messageOf(use))
    .replace(/^(keystile: )?Keystile cannot start:\n  - /, '')
    .replace(/^keystile: /, '')
    .split('\n')
    .map((line) => line.trim().replace(/^- /, '').replaceAll('|', '\\|'))
  return `| \`${use.wrong.replaceAll('|', '\\|')}\` | ${said.join('<br>')} |`
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '../docs/reference/messages.md'), await writeMessages())
  process.exit()
}

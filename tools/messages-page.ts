// Writes docs/reference/messages.md: for each wrong use in test/messages, the message that Keystile
// gives.
//
//   node --conditions=source tools/messages-page.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, wrongUses, type WrongUse } from '../test/messages/wrong-uses.ts'

const intro = `# Messages

This page lists wrong settings and usages, with the message for each. A message says what must be,
what came instead, and the fix. It names a setting as you gave it: as an option, a variable or a
flag. No message contains a secret. For tokens, see [Why was my token refused?](refused.md). For
unsafe settings, see [Safety rules](doctor.md).

<!-- Written by tools/messages-page.ts, and checked by test/messages. -->
`

/** Returns the page. */
export async function writeMessages(): Promise<string> {
  const parts = [intro]
  for (const { title, uses } of wrongUses) {
    const rows = []
    for (const use of uses) rows.push(await rowOf(use)) // commands run one at a time
    parts.push(
      [`## ${title}`, '', '| wrong use | message |', '| --- | --- |', ...rows, ''].join('\n'),
    )
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

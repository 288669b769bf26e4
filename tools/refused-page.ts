// Writes a section for each reason into docs/reference/refused.md, from the table `tokenReasons`
// and from `explanations`.
//
//   node --conditions=source tools/refused-page.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  tokenReasons,
  tokenStatus,
  type TokenReason,
} from '../packages/keystile/src/base/token-reasons.ts'
import { explanations } from '../packages/keystile/src/cli/explanations.ts'
import { wrap } from './wrap.ts'

const heading = '## The reasons'

/** Returns the page with a section for each reason. The text before the first section stays. */
export function writeReasons(page: string): string {
  const [before = ''] = page.split(`\n${heading}\n`)
  return `${[`${before}\n${heading}`, ...sections()].join('\n\n')}\n`
}

function sections(): readonly string[] {
  return (Object.keys(explanations) as TokenReason[]).map((reason) => {
    const { code, message } = tokenReasons[reason]
    const { meaning, cause, fix } = explanations[reason]
    return [
      `### \`${reason}\``,
      '',
      wrap(meaning),
      '',
      wrap(`* **Usual cause:** ${cause}`, '  '),
      wrap(`* **Fix:** ${fix}`, '  '),
      `* **Answer:** ${tokenStatus[code]} \`${code}\`, “${message}”`,
    ].join('\n')
  })
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '../docs/reference/refused.md')
  writeFileSync(file, writeReasons(readFileSync(file, 'utf8')))
}

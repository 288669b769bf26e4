// The page that shows new recovery codes, once: after a login that has set up an app, and to a
// person who makes new ones.
import type { HttpAnswer } from 'keystile/internal'
import { checkOf } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { buttonOf, codesOf, noteOf } from '../../../pages/parts.ts'
import { formatTime } from '../account-pages/format-time.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { stepAnswer } from './step-form.ts'

interface NewCodes {
  readonly codes: readonly string[]
  /** The name of the account. */
  readonly account: string
  /** Where the person goes on. */
  readonly next: string
}

/** The value of the cookie `done` after a login with a recovery code. The account says it. */
export const usedCode = 'recovery-code'

/** The box that a person ticks who has saved the codes. It is in the query of the next page. */
export const savedName = 'saved'

/** Shows the recovery codes, once. */
export function codesPage(reader: PageReader, { next, ...made }: NewCodes): HttpAnswer {
  const { codes: texts } = reader.texts.loginPage
  const { name, href, said } = codesFile(reader, made)
  return stepAnswer(reader, {
    heading: texts.heading,
    intro: texts.intro,
    content: markup`<p class="paper">${said.join(', ')}</p>
${codesOf(made.codes)}
<div class="links screen"><a download="${name}" href="${href}">${texts.save}</a></div>
${noteOf(texts.keep)}
<form action="${next}">
${checkOf({ name: savedName, label: texts.saved })}
${buttonOf({ label: texts.button })}
</form>`,
  })
}

/** Returns a text file with the codes. `said` tells whose they are, and when they were made. */
function codesFile(
  { brand, language, texts }: PageReader,
  { codes, account }: Pick<NewCodes, 'codes' | 'account'>,
): { readonly name: string; readonly href: string; readonly said: readonly string[] } {
  const { loginPage, accountHome } = texts
  const now = new Date().toISOString()
  const said = [`${loginPage.again.account}${account}`, formatTime(now, language, 'minutes')]
  const { title } = accountHome.codes
  const lines = [`${brand.name}: ${title}`, ...said, loginPage.codes.once, '', ...codes, '']
  // Two lists have two names, such as `App-Recovery-codes-2026-12-03-0618.txt`.
  const made = now.slice(0, 16).replace('T', '-').replace(':', '')
  const words = `${brand.name} ${title}`.normalize().replaceAll(/[^\p{L}\p{N}]+/gu, '-')
  return {
    said,
    name: `${words.replace(/^-/, '')}-${made}.txt`,
    href: `data:text/plain;charset=utf-8,${encodeURIComponent(lines.join('\n').toWellFormed())}`,
  }
}

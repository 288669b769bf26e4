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

/** Shows the recovery codes, once: to write down, to print, and as a file. */
export function codesPage(reader: PageReader, { codes, account, next }: NewCodes): HttpAnswer {
  const { brand, language } = reader
  const { codes: texts, again } = reader.texts.loginPage
  const { title } = reader.texts.accountHome.codes
  const now = new Date().toISOString()
  const whoseAndWhen = [`${again.account}${account}`, formatTime(now, language, 'minutes')]
  const lines = [`${brand.name}: ${title}`, ...whoseAndWhen, texts.once, '', ...codes, '']
  const name = fileNameOf(`${brand.name} ${title}`, now)
  return stepAnswer(reader, {
    heading: texts.heading,
    intro: texts.intro,
    content: markup`<p class="paper">${whoseAndWhen.join(', ')}</p>
${codesOf(codes)}
<div class="links screen"><a download="${name}" href="${fileOf(lines)}">${texts.save}</a></div>
${noteOf(texts.keep)}
<form action="${next}">
${checkOf({ name: savedName, label: texts.saved })}
${buttonOf({ label: texts.button })}
</form>`,
  })
}

/** Returns a name such as `App-Recovery-codes-2026-12-03-0618.txt`. Two lists have two names. */
function fileNameOf(title: string, at: string): string {
  const words = title.normalize().replaceAll(/[^\p{L}\p{N}]+/gu, '-')
  const minute = at.slice(0, 16).replace('T', '-').replace(':', '')
  return `${words.replace(/^-/, '')}-${minute}.txt`
}

/** Returns a text file, as a URL. */
function fileOf(lines: readonly string[]): string {
  const text = lines.join('\n').toWellFormed()
  return `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`
}

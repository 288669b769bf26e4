// Writes packages/server/src/features/users/directory/equal-letters-table.ts, with the collation of
// this Node:
//   node --conditions=source tools/equal-letters.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldName } from '../packages/server/src/features/users/directory/counted-login.ts'

const { compare } = new Intl.Collator('und', { sensitivity: 'base', ignorePunctuation: false })

const ascii = Array.from('abcdefghijklmnopqrstuvwxyz')
const sequences = [
  ...ascii.flatMap((a) => ascii.flatMap((b) => [a + b, ...ascii.map((c) => a + b + c)])),
  // The other sequences of letters that the collation treats as equal to one letter.
  ...(
    '⒌1 ⒎1 ㉍p tɕ και ⲕⲁⲓ ст וו יהוה ءا ত্ న్ శ్రీ ನ್ ಶ್ರೀ ക഻ ണ഻ ന഻ മ഻ യ഻ ര഻ ല഻ ള഻ ഴ഻ ཨོ ᤈᤩ ᤋᤪ သ္သ ' +
    'ᦜᦶ ᦜᦶᧁ ᩆ᩠ᩆ ᬚ᭄ᬜ ᚦᚦ ᛅᛚ ᛗᛗ ꔌꘋ ꔞꘋ ꔳꘋ ꕇꘌ ꕒꘋ ꕘꘌ ꕚꘌ ꕠꘋ ꖅꘋ ꖴꘋ ꗋꘋ ꗑꘌ ꗘꘋ しめ 𐿦𐿩 𐼒𐼘'
  ).split(' '),
]

function listEqual(): readonly (readonly string[])[] {
  const letters = Array.from({ length: 0x110000 }, (_, point) => String.fromCodePoint(point))
  const texts = [...sequences, ...letters.filter((letter) => !/[\p{Cs}\p{Co}\p{Cn}]/u.test(letter))]
  const groups: string[][] = []
  for (const text of texts.toSorted(compare)) {
    const last = groups.at(-1)
    if (last?.[0] !== undefined && compare(last[0], text) === 0) last.push(text)
    else groups.push([text])
  }
  return groups
}

/** Returns the form that most letters of the group should get: ASCII if possible, and short. */
function bestForm(group: readonly string[], forms: readonly string[]): string {
  if (group.some((text) => compare(text, '') === 0)) return ''
  const rank = (form: string): number =>
    (/^[\0-\x7f]+$/.test(form) ? 0 : 1_000) + (form === '' ? 2_000 : Array.from(form).length)
  const [best = ''] = forms.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return best
}

const equal = new Map<string, string>()
const groups = listEqual()
// Letters that `foldName()` decomposes or converts may not need an entry of their own.
for (const isSimple of [true, false])
  for (const group of groups) {
    const forms = [...new Set(group.map((text) => foldName(text, equal)))]
    if (forms.length === 1) continue
    const best = bestForm(group, forms)
    for (const text of group) {
      if (foldName(text, equal) === best || Array.from(text).length > 1) continue
      const isUnchanged = text.normalize('NFKD') === text && !/\p{Lu}/u.test(text)
      if (isUnchanged || !isSimple) equal.set(text, best)
    }
  }

const hex = (text: string): string =>
  Array.from(text, (letter) => letter.codePointAt(0)?.toString(16)).join('+')
const maxColumns = 100
const lines = [...Map.groupBy(equal.keys(), (letter) => equal.get(letter) ?? '')].flatMap(
  ([form, letters]) => wrap(`${hex(form)} =`.trimStart(), letters.map(hex)),
)

/** Appends words to a line, and continues it on lines that begin with two spaces. */
function wrap(start: string, words: readonly string[]): readonly string[] {
  const wrapped: string[] = []
  let line = start
  for (const word of words) {
    if (line.length + 1 + word.length > maxColumns) {
      wrapped.push(line)
      line = ' '
    }
    line += ` ${word}`
  }
  return [...wrapped, line]
}

const { icu = '', unicode = '' } = process.versions
const table = `// Written by \`node --conditions=source tools/equal-letters.ts\`, with ICU ${icu} (Unicode ${unicode}).
// names.test.ts compares it with the collation of the Node that runs the test.

/**
 * A form on each line, and after \`=\` the letters that get this form: code points in hexadecimal.
 * \`+\` joins the code points of a form. So \`27 = 5f3 2018\` says that U+05F3 and U+2018 get the
 * form U+0027. A line that begins with a space continues the line before it.
 */
export const equalLettersTable: string = \`
${lines.join('\n')}
\`
`
writeFileSync(
  join(
    import.meta.dirname,
    '../packages/server/src/features/users/directory/equal-letters-table.ts',
  ),
  table,
)

import { domainToUnicode } from 'node:url'
import { equalLetters } from './equal-letters.ts'
import { maxEmailLength, parseEmail } from './names.ts'

/**
 * Returns the key under which rate limits count the tries for a typed name. All spellings that a
 * directory may treat as one user must get the same key. Otherwise an attacker could guess more
 * often by changing the spelling. It uses only the typed string: a lookup before the count would
 * reveal which names exist.
 */
export function countedLogin(login: string): string {
  const [local, domain] = parseEmail(login)?.key.split('@') ?? []
  if (local !== undefined && domain !== undefined)
    return foldName(`${local}@${domainToUnicode(domain)}`)
  return foldName(login.slice(0, maxEmailLength)) // longer names do not exist
}

/**
 * Ignores what databases may ignore when they compare names: case, accents, white space, and the
 * differences between letters that Unicode's root collation treats as equal, such as digits of
 * different scripts, hiragana and katakana, or `æ` and `ae`. May also make different names equal.
 */
export function foldName(name: string, equal: ReadonlyMap<string, string> = equalLetters): string {
  const replaceEqual = (text: string): string =>
    text.replace(/[^\0-\x7f]/gu, (letter) => equal.get(letter) ?? letter)

  const letters = replaceEqual(replaceEqual(name.normalize('NFD')).normalize('NFKD'))
  // Some capital letters have two lower case forms, and some lower case letters two capital ones.
  const capital = letters.replace(ignored, '').toLowerCase().toUpperCase()
  return replaceEqual(capital.toLowerCase()).replace(ignored, '')
}

/**
 * Marks, invisible characters and white space. Also the Thai and Lao vowels that a collation moves
 * behind the next letter, and the dot that it ignores after `l`.
 */
const ignored = /[\p{M}\p{C}\p{Z}\s\p{Logical_Order_Exception}\u00b7]/gu

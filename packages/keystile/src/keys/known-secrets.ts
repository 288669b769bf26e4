// Recognizes secrets that anyone can know, because they are printed in public.
import { createHash } from 'node:crypto'
import { toBase64url } from '../base/bytes.ts'
import { isMixed } from './impostors.ts'
import { readingsOf } from './readings.ts'

/**
 * Secrets that look random, but are printed in public. Secrets that contain one of the placeholders
 * below, or that `isWeakSecret` refuses, need not be in this list.
 */
const printed: readonly string[] = [
  // RFC 7515 §A.1.1 and RFC 7517 §A.3
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  // RFC 7520 §3.5
  'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
  // the test vectors of Wycheproof
  '-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE',
  // the tutorial of FastAPI
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  // the documentation of Hasura
  '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R',
  // the local stack of Nhost
  '5152fa850c02dc222631cca898ed1485821a70912a6e3649c49076912daa3b62' +
    '182ba013315915d64f40cddfbb8b58eb5bd11ba225336a6af45bbae07ca873f3',
  // tutorials of Spring Security
  '3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  '413F4428472B4B6250655368566D5970337336763979244226452948404D6351',
  '5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437',
  // tutorials of ASP.NET Core
  'ByYM000OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SNM',
  'JWTAuthenticationHIGHsecuredPasswordVVVp1OH7Xzyr',
  // templates
  'a-very-long-random-string-with-symbols-and-numbers',
]

/** Words of which people take the hash as a secret, for example with `sha256sum`. */
const hashedWords: readonly string[] = ['', 'test', 'secret', 'password', 'changeme', 'keystile']

/**
 * Secrets that became public and must not be printed here: the SHA-256 hashes of their spelling in
 * base64url, in lower case.
 */
const leaked: ReadonlySet<string> = new Set([
  // a file `keystile.key` that was committed to this repository
  'aba5bcf93d984823f88f6f1c0f248e111b4a6af933a8ebc970194d334bec9cc9',
])

/**
 * Words in the secrets of tutorials and templates. Each app must replace such a secret. Random text
 * practically never contains these words.
 */
const placeholders: readonly string[] = [
  'atleast', // jwt.io and Supabase: "… at least 256 bits long", "… at least 32 characters long"
  'donotuse', // NestJS
  'inproduction', // "change this in production"
  'changeme',
  'changethis',
  'changeit',
  'replacethis',
  'replaceit',
  'replacewith',
  'supersecret',
  'secretkey',
  'yoursecret',
  'jwtsecret',
  'djangoinsecure',
  'developmentonly',
  'opensslrand', // a command that was pasted instead of run
]

/**
 * The minimum length of a text that is compared with the known secrets. HS256 needs a secret of 32
 * bytes, so a shorter secret is refused anyway.
 */
const fewestCharacters = 32

const known: ReadonlySet<string> = new Set(
  [...printed, ...hashedWords.flatMap(hashesOf)].flatMap((text) => spellingsOf(Buffer.from(text))),
)

/** Returns the hashes of a word and of the line with the word, in hex. */
function hashesOf(word: string): readonly string[] {
  return [word, `${word}\n`].flatMap((text) => [
    sha256(text),
    createHash('sha512').update(text).digest('hex'),
  ])
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Whether a secret is printed in a standard, a tutorial or a template, is the hash of a common
 * word, or was leaked. Ignores case. Also recognizes the bytes that such a text encodes in base64
 * or hex.
 */
export function isKnownSecret(secret: Uint8Array): boolean {
  return (
    spellingsOf(secret).some((text) => known.has(text) || isLeaked(text)) ||
    readingsOf(secret).some(isPlaceholder)
  )
}

/** Whether a text is the spelling of a leaked secret, which has 32 bytes. */
function isLeaked(text: string): boolean {
  return text.length === 43 && leaked.has(sha256(text))
}

/**
 * Finds placeholders such as `changeme`, even with other characters between the letters, as in
 * `change-me`.
 */
const placeholderText = new RegExp(
  placeholders.map((words) => words.split('').join('[^a-z]*')).join('|'),
  'gi',
)

/**
 * Whether a secret is a placeholder. A label before random text is not a placeholder:
 * `shop-jwt-secret-` followed by 32 random bytes is a good secret.
 */
function isPlaceholder(secret: Buffer): boolean {
  const text = secret.toString('latin1')
  const rest = text.replace(placeholderText, '')
  return rest !== text && !(rest.length >= fewestCharacters && isMixed(rest))
}

/**
 * Returns the forms of a secret that are compared: the secret itself and the bytes that it encodes,
 * each as text and in base64url. All forms are in lower case, without white space and quotation
 * marks.
 */
function spellingsOf(secret: Uint8Array): readonly string[] {
  const texts = readingsOf(secret).flatMap((bytes) => [
    bytes.toString('latin1'),
    toBase64url(bytes),
  ])
  const plain = texts.map((text) => text.toLowerCase().replace(/[\s"'`]/g, ''))
  return plain.filter((text) => text.length >= fewestCharacters)
}

import { createPublicKey, X509Certificate } from 'node:crypto'
import { readingsOf } from '../base/bytes.ts'

/** Something that is passed as a secret by mistake. Anyone who knows it could sign. */
export interface Impostor {
  /** With its article. */
  readonly name: string
  /** What to write instead. */
  readonly instead: string
}

const passFile = 'read the file, and pass what it contains'
const passUrl =
  'to fetch a key set, pass its https URL as jwksUri of createVerifier, or leave out keys: then the issuer says where it is'
const passKey =
  'pass a PEM as importKey({ pem, algorithm }), and a public key to createVerifier as keys: { keys: [exportPublicJwk(key)] }'
const passObject = 'parse it, and pass the JWK or the JWK Set as an object'
const makeSecret = 'make a secret with: openssl rand -base64 32'

const fileExtension = /\.(?:pem|key|pub|crt|cer|der|p8|p12|pfx|jwks?|json|txt|ya?ml|env)$/i

/**
 * In this order: what is a URL too is no host name. Each is asked about the text as it is, or also
 * about what it encodes.
 */
const impostors: readonly (Impostor & {
  readonly of: 'text' | 'readings'
  is(text: string, bytes: Buffer): boolean
})[] = [
  {
    name: 'JSON',
    instead: passObject,
    of: 'readings',
    is: (text) => /"(?:kty|keys)"/.test(text) || (/^[[{]/.test(text) && isJson(text)),
  },
  {
    name: 'a key or certificate',
    instead: passKey,
    of: 'readings',
    is: (text, bytes) =>
      /-{4,5}\s*BEGIN|^\W*(?:ssh-|ecdsa-sha2-|sk-ssh|sk-ecdsa)|PuTTY-User-Key/m.test(text) ||
      isPublicDer(bytes),
  },
  {
    name: 'a URL',
    instead: passUrl,
    of: 'readings',
    is: (text) =>
      !/^file:/i.test(text) &&
      /^(?:https?|data|blob|urn):|^[a-z]+%3a%2f%2f|[a-z][a-z\d+.-]+:\/\/[\w[]|^\/\/[\w-]+(?:\.[\w-]+)+/i.test(
        text,
      ),
  },
  {
    name: 'a template that was not filled in',
    instead: 'fill it in, or set the variable: make a secret with: openssl rand -base64 32',
    of: 'text',
    is: (text) =>
      /^(?:undefined|null)(?:[/:?#.]|$)|^process\.env\b|\$\{\w+\}|\{\{[^}]+\}\}/.test(text),
  },
  {
    name: 'the name of a secret in a vault',
    instead: 'pass what the vault keeps under that name',
    of: 'text',
    is: (text) => /^arn:|^projects\/[\w-]+\/secrets\/|^vault:|^op:\/\//i.test(text),
  },
  {
    name: 'the path of a file',
    instead: passFile,
    of: 'text',
    is: isPath,
  },
  {
    name: 'a JWT',
    instead: makeSecret,
    of: 'text',
    is: (text) => /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text),
  },
  {
    name: 'a UUID',
    instead: makeSecret,
    of: 'text',
    is: (text) => /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text),
  },
  {
    name: 'a host name',
    instead: passUrl,
    of: 'text',
    is: (text) =>
      !isMixed(text) &&
      /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[a-z\d-]+(?:\.[a-z\d-]+)*\.[a-z]{2,24})(?::\d{1,5})?(?:\/[\w./?=&%~-]*)?$/i.test(
        text,
      ),
  },
  {
    name: 'a URL without its scheme, or a path',
    instead: passUrl,
    of: 'text',
    // No alphabet of base64 has a slash together with one of `._:-`.
    is: (text) =>
      /^[\w.~:@+%/-]+$/.test(text) &&
      /\w\/\w/.test(text) &&
      /[a-z]{3}[._:-]|[._:-][a-z]{3}/.test(text) &&
      !isMixed(text),
  },
]

/** What a secret really is, or nothing where it may be a secret. */
export function findImpostor(secret: Uint8Array): Impostor | undefined {
  const readings = readingsOf(secret).map((bytes) => [plainTextOf(bytes), bytes] as const)
  return impostors.find(({ of, is }) =>
    (of === 'text' ? readings.slice(0, 1) : readings).some(([text, bytes]) => is(text, bytes)),
  )
}

/**
 * Without what an editor or a shell may put around: a byte order mark, the zeros of UTF-16, white
 * space, quotation marks.
 */
function plainTextOf(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/\0|^(?:\xef\xbb\xbf|\xff\xfe)/g, '')
  return text.replace(/^[\s"'`<]+|[\s"'`>]+$/g, '')
}

/**
 * Random base64 may begin with a slash, but has capitals, and neither dots, hyphens nor
 * underscores.
 */
function isPath(text: string): boolean {
  if (/^file:/i.test(text)) return true
  if (!/^[\w.\\/~ :@+%-]+$/.test(text) || isMixed(text)) return false
  const isBase64 = /^[A-Za-z\d+/]+$/.test(text) && /[A-Z]/.test(text)
  return fileExtension.test(text) || (!isBase64 && /^(?:\.{0,2}|~|[a-z]:)[\\/]/i.test(text))
}

/**
 * Of random text in base64 or hex four characters of ten are of another kind than the one before,
 * of words one or two.
 */
const leastChanges = 0.25

/**
 * Whether lower case, upper case and digits are as mixed as in random text. No name and no path is.
 */
export function isMixed(text: string): boolean {
  const letters = text.replace(/[^A-Za-z\d]/g, '')
  const kinds = letters.replace(/[a-z]/g, 'a').replace(/[A-Z]/g, 'A').replace(/\d/g, '0')
  // A capital begins a word: what follows it is no change.
  const changes = kinds.match(/a(?=[A0])|A(?=0)|0(?=[aA])/g) ?? []
  return changes.length >= letters.length * leastChanges
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isPublicDer(der: Buffer): boolean {
  if (der[0] !== 0x30) return false // a DER key is a SEQUENCE, and so is a certificate
  const readers = [
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
    () => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(der),
  ]
  return readers.some((read) => {
    try {
      read()
      return true
    } catch {
      return false
    }
  })
}

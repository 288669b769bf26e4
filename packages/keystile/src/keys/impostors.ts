// Recognizes values that are passed as a shared secret by mistake, such as a URL or a public key.
import { createPublicKey, X509Certificate } from 'node:crypto'
import { readingsOf } from './readings.ts'

/**
 * A kind of value that apps pass as a secret by mistake, such as a URL. Anyone who knows the value
 * could sign tokens.
 */
export interface Impostor {
  /** What the value is, with the article: `a URL`. */
  readonly name: string
  readonly instead: string
}

const passFile = 'read the file and pass its content'
const passUrl =
  'to fetch a key set, pass its https URL as jwksUri to createVerifier, ' +
  "or leave out keys to use the issuer's metadata"
const passKey =
  'import a PEM with importKey({ pem, algorithm }), ' +
  'and pass a public key to createVerifier as keys: { keys: [exportPublicJwk(key)] }'
const passObject = 'parse it and pass the JWK or the JWK Set as an object'
const makeSecret = 'make a secret with: openssl rand -base64 32'

/** The start of a PEM (`-----BEGIN PUBLIC KEY-----`), of a key of OpenSSH, or a key of PuTTY. */
const keyText = /-{4}\s*BEGIN|^\W*(?:ssh-|ecdsa-sha2-|sk-ssh|sk-ecdsa)|PuTTY-User-Key/m

/** `arn:aws:secretsmanager:…`, `projects/shop/secrets/jwt`, `vault:…`, `op://vault/item`. */
const vaultName = /^arn:|^projects\/[\w-]+\/secrets\/|^vault:|^op:\/\//i

/** `https:…`, `data:…`, `postgres://host`, `redis%3A%2F%2Fhost`, `//cdn.example`. */
const urlText = /^(?:https?|data|blob|urn):|\w{2}(?::\/\/|%3a%2f%2f)[\w[]|^\/\/[\w-]+\.\w/i

/** `undefined`, `null/auth`, `process.env.SECRET`, `${SECRET}`, `{{ secret }}`. */
const templateText = /^(?:undefined|null)(?:[/:?#.]|$)|process\.env\b|\$\{\w+\}|\{\{[^}]+\}\}/

/** `localhost:3000`, `10.0.0.1` or `auth.example/path`: perhaps with a port and a path. */
const hostName =
  /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|(?:[a-z\d-]+\.)+[a-z]{2,24})(?::\d{1,5})?(?:\/\S*)?$/i

/**
 * The values that apps pass as a secret by mistake. If a value matches several kinds, the error
 * names the first kind. So a URL is reported as a URL and not as a host name.
 */
const impostors: readonly (Impostor & {
  is(text: string, bytes: Buffer): boolean
  /** If true, the value is also recognized when it is encoded in base64 or hex. */
  readonly encoded?: true
})[] = [
  {
    name: 'JSON',
    instead: passObject,
    encoded: true,
    is: (text) =>
      /"(?:kty|keys)"/.test(text) || (/[[{]/.test(text) && succeeds(() => JSON.parse(text))),
  },
  {
    name: 'a key or certificate',
    instead: passKey,
    encoded: true,
    is: (text, bytes) => keyText.test(text) || isPublicDer(bytes),
  },
  {
    name: 'the name of a secret in a vault',
    instead: 'pass the value that the vault stores under that name',
    is: (text) => vaultName.test(text),
  },
  {
    name: 'a URL',
    instead: passUrl,
    encoded: true,
    is: (text) => !/^file:/i.test(text) && urlText.test(text),
  },
  {
    name: 'a template that was not filled in',
    instead: `fill it in or set the variable; ${makeSecret}`,
    is: (text) => templateText.test(text),
  },
  {
    name: 'the path of a file',
    instead: passFile,
    is: isPath,
  },
  {
    name: 'a JWT',
    instead: makeSecret,
    is: (text) => /eyJ[\w-]+\.[\w-]+\./.test(text),
  },
  {
    name: 'a UUID',
    instead: makeSecret,
    is: (text) => /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text),
  },
  {
    name: 'a host name',
    instead: passUrl,
    is: (text) => !isMixed(text) && hostName.test(text),
  },
  {
    name: 'a URL without its scheme, or a path',
    instead: passUrl,
    // Random base64 cannot match: no alphabet of base64 has both a slash and one of `._:-`.
    is: (text) =>
      /^[\w.~:@+%/-]+$/.test(text) && /\w\/\w/.test(text) && /[._:-]/.test(text) && !isMixed(text),
  },
]

/**
 * Returns the kind of wrong value that was passed as a secret, such as a URL. Returns `undefined`
 * if the value matches no kind and may therefore be a secret.
 */
export function findImpostor(secret: Uint8Array): Impostor | undefined {
  const readings = readingsOf(secret).map((bytes) => [plainTextOf(bytes), bytes] as const)
  return impostors.find(({ encoded, is }) =>
    (encoded ? readings : readings.slice(0, 1)).some(([text, bytes]) => is(text, bytes)),
  )
}

/**
 * Removes from a text what an editor or a shell may have added: a byte order mark, the zeros of
 * UTF-16, white space and quotation marks.
 */
function plainTextOf(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/\0|\xef\xbb\xbf|\xff\xfe/g, '')
  return text.replace(/^[\s"'`<]+|[\s"'`>]+$/g, '')
}

/** The extensions of files that hold keys or settings. */
const fileExtension = /\.(?:pem|key|pub|crt|cer|der|p8|p12|pfx|jwks?|json|txt|ya?ml|env)$/i

/**
 * Whether a text is the path of a file. A text that begins with a slash may also be random base64.
 * It counts as base64 if it has a capital letter, and only letters, digits, `+` and `/`. A typical
 * path has no capital letter, or it has a dot, a hyphen or an underscore.
 */
function isPath(text: string): boolean {
  if (/^file:/i.test(text)) return true
  if (!/^[\w.\\/~ :@+%-]+$/.test(text) || isMixed(text)) return false

  const isBase64 = /^[A-Za-z\d+/]+$/.test(text) && /[A-Z]/.test(text)
  return fileExtension.test(text) || (!isBase64 && /^(?:\.{0,2}|~|[a-z]:)[\\/]/i.test(text))
}

/**
 * A text counts as mixed if at least this share of its characters differ in kind from the character
 * before. The kinds are lower case, capitals and digits. In random base64 or hex, the share is
 * about 0.4; in words, it is 0.1 to 0.2.
 */
const leastChanges = 0.25

/**
 * Whether a text mixes lower-case letters, capitals and digits, as random text does. Names and
 * paths do not.
 */
export function isMixed(text: string): boolean {
  const letters = text.replace(/[^A-Za-z\d]/g, '')
  // A capital before a small letter is not counted as a change: many words begin so.
  const changes = [...letters.matchAll(/[a-z](?=[A-Z\d])|[A-Z](?=\d)|\d(?=[A-Za-z])/g)]
  return changes.length >= letters.length * leastChanges
}

/** Whether bytes are a public key or a certificate in DER. */
function isPublicDer(der: Buffer): boolean {
  // DER keys and certificates are a SEQUENCE.
  if (der[0] !== 0x30) return false
  const readers = [
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
    () => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(der),
  ]
  return readers.some(succeeds)
}

function succeeds(read: () => unknown): boolean {
  let done = false
  try {
    read()
    done = true
  } catch {
    // A read that throws did not succeed, so `done` remains false.
  }
  return done
}

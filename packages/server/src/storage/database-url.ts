// What a URL in the setting `database` says, and whether it is one that Keystile can use.
import { isPostgresUrl, type DatabaseSource } from './source.ts'

/**
 * Whether a source is the URL of a database that Keystile does not support, a URL with a typing
 * error, or a list such as `host=db user=app`. Without this check, SQLite would create a file whose
 * name is the URL, with its password.
 */
export function isForeignUrl(source: string): boolean {
  return !isPostgresUrl(source) && foreign.some((pattern) => pattern.test(source))
}

const foreign = [
  /^\w[\w+.-]+:/, // `mysql:…`, but not `C:\…`, whose scheme would have one letter
  /:\/\//, // `"postgres://…"`
  /^\s|\s$/, // ` postgres://…`
  /^postgres(ql)?\/\//i, // `postgres//…`: the colon is missing
  /^\w+\/\/.*:.*@/, // `pg//user:password@host`: it is missing too
  /(^|\s)(host|user|password|dbname) *=/i, // `host=db user=app`
]

/**
 * Whether a `postgres:` URL is not valid, or seems to have a password that is not percent-encoded.
 * At `#`, `?` or `/` the host ends, so the `@` before the real host is in a later part of the URL.
 * pg accepts a `%` without two hexadecimal digits, but no host has one.
 */
export function isBrokenPostgresUrl(source: string): boolean {
  if (!isPostgresUrl(source)) return false

  // pg also accepts a URL without a host, `postgres://user@/app`, whose parameter `host` names the
  // folder of a socket.
  const text = source.replace('@/', '@localhost/')
  if (!URL.canParse(text)) return true

  const { username, password, hostname, pathname, hash, searchParams } = new URL(text)
  const withoutBarePercents = [username, password, pathname].map((part) =>
    part.replaceAll(/%(?![\da-f]{2})/gi, '%25'),
  )
  if (![hostname, ...withoutBarePercents].every(isDecodable)) return true
  return [pathname, hash, ...searchParams.keys()].some((part) => part.includes('@'))
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

export interface DatabaseServer {
  readonly host: string
  /** Whether the URL requires TLS and a check of the server's certificate. */
  readonly isTlsVerified: boolean
}

/**
 * Returns the database server that a URL names. Returns undefined for a file, a pool, a URL without
 * a host and a URL that is not valid.
 */
export function findDatabaseServer(source: DatabaseSource | undefined): DatabaseServer | undefined {
  if (typeof source !== 'string' || !isPostgresUrl(source)) return undefined
  if (isBrokenPostgresUrl(source) || !URL.canParse(source)) return undefined

  const { hostname, searchParams } = new URL(source)
  const host = searchParams.getAll('host').at(-1) || decodeURIComponent(hostname)
  if (host === '' || host.startsWith('/')) return undefined

  return { host, isTlsVerified: searchParams.getAll('sslmode').at(-1) === 'verify-full' }
}

/** Whether a URL has a password. If the URL is not valid, also whether it seems to have one. */
export function hasPassword(source: DatabaseSource | undefined): boolean {
  if (typeof source !== 'string' || !isPostgresUrl(source)) return false
  if (!URL.canParse(source)) return /:\/\/[^:/@]*:.*@/.test(source)

  const { password, searchParams } = new URL(source)
  return password !== '' || searchParams.has('password')
}

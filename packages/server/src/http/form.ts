import { OAuthError, parseUtf8, type HttpRequestWithBody } from 'keystile/internal'
import { maxBodyBytes, mediaTypeOf } from './route.ts'

/** The parameters of an OAuth request. Each has one value, which is not empty (RFC 6749 §3.2). */
export type Form = ReadonlyMap<string, string>

/**
 * Reads the form of an OAuth endpoint from the body, urlencoded or multipart, never from the query.
 * A parameter without a value counts as absent. An unknown parameter is ignored. A repeated one
 * refuses the request, known or not.
 *
 * @throws {OAuthError} `invalid_request`
 * @throws {ProblemError} `content_too_large`
 * @see RFC 6749 §3.2, appendix B
 */
export async function readForm(request: HttpRequestWithBody): Promise<Form> {
  const mediaType = mediaTypeOf(request)
  if (mediaType !== 'application/x-www-form-urlencoded' && mediaType !== 'multipart/form-data') {
    throw new OAuthError(
      'invalid_request',
      'The body must be a form, sent as application/x-www-form-urlencoded',
    )
  }

  const bytes = await request.body(maxBodyBytes)
  const pairs =
    mediaType === 'multipart/form-data'
      ? await parseMultipart(bytes, request.headers.get('content-type') ?? mediaType)
      : parseUrlencoded(bytes)

  const form = new Map<string, string>()
  const seen = new Set<string>()
  for (const [name, value] of pairs) {
    if (seen.has(name))
      throw new OAuthError('invalid_request', 'A parameter appears twice; each may appear once')
    seen.add(name)
    if (value !== '') form.set(name, value)
  }
  return form
}

/**
 * Decodes a name or a value: `+` is a space, `%` begins two hex digits, and the bytes are UTF-8.
 * Returns undefined for any other text.
 */
export function decodeFormComponent(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function parseUrlencoded(bytes: Uint8Array): readonly (readonly [string, string])[] {
  const text = parseUtf8(bytes)
  if (text === undefined) throw notUtf8()
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = decodeFormComponent(equals < 0 ? pair : pair.slice(0, equals))
      const value = decodeFormComponent(equals < 0 ? '' : pair.slice(equals + 1))
      if (name === undefined || value === undefined) throw notUtf8()
      return [name, value] as const
    })
}

async function parseMultipart(
  bytes: Uint8Array,
  contentType: string,
): Promise<readonly (readonly [string, string])[]> {
  let form: FormData
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': contentType },
    }).formData()
  } catch {
    throw new OAuthError(
      'invalid_request',
      'The body is no multipart form: each part needs the boundary of the Content-Type and a name',
    )
  }
  return [...form].map(([name, value]) => {
    if (typeof value !== 'string')
      throw new OAuthError('invalid_request', 'A part is a file; only fields are expected')
    return [name, value] as const
  })
}

function notUtf8(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'The form is not well encoded: "%" must begin two hex digits, and the bytes must be UTF-8',
  )
}

import { OAuthError, parseUtf8, type HttpRequestWithBody } from 'keystile/internal'
import { maxBodyBytes, mediaTypeOf } from './request.ts'

/** The parameters of an OAuth request. Each has exactly one non-empty value (RFC 6749 §3.2). */
export type Form = ReadonlyMap<string, string>

/**
 * Reads the form in the body of a request to an OAuth endpoint. The form may be urlencoded or
 * multipart. Ignores the query of the URL, because a password in a URL would end up in logs. An
 * empty parameter counts as missing. The result includes unknown parameters, which the caller may
 * ignore. Refuses a form that repeats a parameter, even an unknown parameter: a proxy might read
 * the first value, and this server the last.
 *
 * @throws {OAuthError} `invalid_request`
 * @throws {ProblemError} `content_too_large`, if the body has more than `maxBodyBytes`
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
      throw new OAuthError(
        'invalid_request',
        'Each parameter must appear only once; one appears twice',
      )
    seen.add(name)
    if (value !== '') form.set(name, value)
  }
  return form
}

/**
 * Decodes a name or a value of a form. `+` is a space, and `%` must be followed by two hex digits.
 * Returns undefined if the encoding is not valid or the decoded bytes are not UTF-8.
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
      'The body must be multipart: each part needs the boundary of the Content-Type and a name',
    )
  }
  return [...form].map(([name, value]) => {
    if (typeof value !== 'string')
      throw new OAuthError('invalid_request', 'The form must have fields only; one part is a file')
    return [name, value] as const
  })
}

function notUtf8(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'The form must be well encoded: two hex digits after each percent sign, and bytes in UTF-8',
  )
}

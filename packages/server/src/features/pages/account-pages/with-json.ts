import type { HttpRequestWithBody, JsonObject } from 'keystile/internal'

/**
 * Returns the request with which a page calls the handler of an endpoint: its body is JSON, in
 * place of the form that the browser has sent.
 */
export function withJson(request: HttpRequestWithBody, json: JsonObject = {}): HttpRequestWithBody {
  const bytes = new TextEncoder().encode(JSON.stringify(json))
  const get = (name: string): string | null | undefined =>
    name.toLowerCase() === 'content-type' ? 'application/json' : request.headers.get(name)
  return { ...request, headers: { get }, body: async () => bytes }
}

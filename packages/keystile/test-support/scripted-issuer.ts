// An issuer in the form of a `fetch` function. A test sets what it publishes. It records all
// requests.
import { exportPublicJwk, type Jwk, type SigningKey } from 'keystile/jwt'

export interface ScriptedIssuer {
  readonly issuer: string
  readonly metadataUrl: string
  /** The `jwks_uri` in the metadata. A test may change it. */
  jwksUri: string
  /** The published keys. */
  keys: readonly Jwk[]
  /** The headers of the answer with the JWK Set. */
  headers: Readonly<Record<string, string>>
  /** The URLs of all requests, in order. */
  readonly asked: string[]
  /** Called for each request. If it returns a response, that response is the answer. */
  instead:
    | ((url: string, init: RequestInit) => Response | Promise<Response> | undefined)
    | undefined
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** How often the JWK Set was fetched. */
  readonly fetches: number
}

/** Makes an issuer that publishes these keys. */
export function scriptIssuer(
  keys: readonly SigningKey[],
  issuer = 'https://auth.example',
): ScriptedIssuer {
  const script: ScriptedIssuer = {
    issuer,
    metadataUrl: `${issuer}/.well-known/oauth-authorization-server`,
    jwksUri: `${issuer}/jwks`,
    keys: keys.map(exportPublicJwk),
    headers: {},
    asked: [],
    instead: undefined,
    async fetch(url, init) {
      script.asked.push(url)
      const other = script.instead?.(url, init)
      if (other) return other
      if (url === script.metadataUrl) return Response.json({ issuer, jwks_uri: script.jwksUri })
      if (url === script.jwksUri)
        return Response.json({ keys: script.keys }, { headers: script.headers })
      return new Response(null, { status: 404 })
    },
    get fetches() {
      return script.asked.filter((url) => url === script.jwksUri).length
    },
  }
  return script
}

/** Makes a `fetch` for several issuers. The URL selects the issuer. */
export function fetchFrom(...scripts: readonly ScriptedIssuer[]): ScriptedIssuer['fetch'] {
  return async (url, init) => {
    const script = scripts.find(({ issuer }) => url.startsWith(`${issuer}/`))
    if (!script) throw new Error(`no issuer has the URL ${url}`)
    return script.fetch(url, init)
  }
}

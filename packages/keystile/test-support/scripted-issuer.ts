// An issuer that is a function in place of fetch: it publishes what a test tells it to, and notes
// what it is asked.
import { exportPublicJwk, type Jwk, type SigningKey } from 'keystile/jwt'

export interface ScriptedIssuer {
  readonly issuer: string
  readonly metadataUrl: string
  /** May be changed: from then on the metadata names it. */
  jwksUri: string
  /** What is published. */
  keys: readonly Jwk[]
  /** Headers of the JWK Set. */
  headers: Readonly<Record<string, string>>
  /** Every URL that was asked, in order. */
  readonly asked: string[]
  /** Answers in place of the script, where it returns something. */
  instead:
    | ((url: string, init: RequestInit) => Response | Promise<Response> | undefined)
    | undefined
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** How often the JWK Set was asked for. */
  readonly fetches: number
}

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

/** The `fetch` of several issuers: each URL goes to the one whose it is. */
export function fetchFrom(...scripts: readonly ScriptedIssuer[]): ScriptedIssuer['fetch'] {
  return async (url, init) => {
    const script = scripts.find(({ issuer }) => url.startsWith(`${issuer}/`))
    if (!script) throw new Error(`nobody answers at ${url}`)
    return script.fetch(url, init)
  }
}

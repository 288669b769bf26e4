import { createClient } from 'keystile/client'

const issuer = `${location.origin}/auth`

/** Keeps the refresh token in a cookie that no script can read, and refreshes by itself. */
export const client = createClient({ issuer, storage: 'cookie' })

/** The secret of a new authenticator app. */
export interface NewApp {
  readonly secret: string
  readonly uri: string
  readonly qrSvg: string
}

/**
 * Sends a request with the access token, and returns the JSON of the answer. If the route demands a
 * second factor, the client asks for it first: see `client.onStepUp` in main.tsx.
 *
 * @throws {Error} whose message is for the user
 */
async function ask<Answer>(method: string, url: string, body?: object): Promise<Answer> {
  const answer = await client.fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail)
  return answer.json()
}

interface Items {
  readonly owner: string
  readonly items: readonly string[]
}

export const loadItems = (): Promise<Items> => ask('GET', `${location.origin}/items`)
export const sellItems = (): Promise<Items> => ask('POST', `${location.origin}/items/sell`, {})

/** Begins the setup of an authenticator app. */
export async function createApp(): Promise<NewApp> {
  const url = `${issuer}/users/me/factors/totp`
  const {
    secret,
    uri,
    qr_svg: qrSvg,
  } = await ask<Omit<NewApp, 'qrSvg'> & { qr_svg: string }>('POST', url, {})
  return { secret, uri, qrSvg }
}

/** Ends the setup of an authenticator app with its first code. Returns the recovery codes. */
export async function confirmApp(code: string): Promise<readonly string[]> {
  const url = `${issuer}/users/me/factors/totp/confirm`
  return (await ask<{ recovery_codes: readonly string[] }>('POST', url, { code })).recovery_codes
}

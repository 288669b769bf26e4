import { createClient } from 'keystile/client'

const issuer = `${location.origin}/auth`

/** Keeps the refresh token in a cookie that no script can read, and refreshes by itself. */
export const client = createClient({ issuer, storage: 'cookie' })

/**
 * Loads the items from the API with the access token. @throws {Error} whose message is for the user
 */
export async function loadItems(): Promise<{ owner: string; items: string[] }> {
  const answer = await client.fetch(`${location.origin}/items`)
  if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail)
  return answer.json()
}

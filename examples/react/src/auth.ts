import { createClient } from 'keystile/client'

const issuer = `${location.origin}/auth`

/** Keeps the refresh token in a cookie that no script can read, and refreshes by itself. */
export const client = createClient({ issuer, storage: 'cookie' })

export interface Registration {
  readonly username: string
  readonly email: string
  readonly password: string
}

/** Creates an account and logs in. @throws {Error} whose message is for the user */
export async function register(person: Registration): Promise<void> {
  const answer = await fetch(`${issuer}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  })
  if (!answer.ok) throw new Error(await explain(answer))
  await client.login(person)
}

/**
 * Loads the items from the API with the access token. @throws {Error} whose message is for the user
 */
export async function loadItems(): Promise<{ owner: string; items: string[] }> {
  const answer = await client.fetch(`${location.origin}/items`)
  if (!answer.ok) throw new Error(await explain(answer))
  return answer.json()
}

/** Returns what was wrong: the message of the first field, or the answer's detail. */
async function explain(answer: Response): Promise<string> {
  const problem = (await answer.json()) as { detail: string; errors?: { msg: string }[] }
  return problem.errors?.[0]?.msg ?? problem.detail
}

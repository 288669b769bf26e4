// Registers people with the endpoints of a running Keystile, and logs them in.
import { stringMember } from './json.ts'

export const password = 'correct horse battery staple'

/**
 * Registers `count` people, and returns an access token of each of them.
 * @param base the issuer
 */
export async function logInPeople(base: string, count: number): Promise<readonly string[]> {
  return inBatches(count, async (n) => {
    const username = `user${n}`
    await post(
      `${base}/users`,
      JSON.stringify({ username, email: `${username}@example.com`, password }),
    )
    const answer = await post(`${base}/token`, new URLSearchParams({ username, password }))
    return stringMember(await answer.json(), 'access_token')
  })
}

/**
 * @param more headers beside the content type
 * @throws {Error} if the status of the answer is not 2xx
 */
export async function post(
  url: string,
  body: string | URLSearchParams,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
  const answer = await fetch(url, { method: 'POST', headers: { ...type, ...more }, body })
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

/** Better Auth refuses browsers from other origins, and treats `fetch` as a browser. */
export function signUpAtBetterAuth(base: string, body: string): Promise<Response> {
  return post(`${base}/api/auth/sign-up/email`, body, { origin: new URL(base).origin })
}

/**
 * Calls `make` `count` times. Ten calls run at the same time, because each waits for the hash of a
 * password.
 */
export async function inBatches<T>(
  count: number,
  make: (n: number) => Promise<T>,
): Promise<readonly T[]> {
  const made: T[] = []
  for (let start = 0; start < count; start += 10) {
    const batch = Array.from({ length: Math.min(10, count - start) }, (_, index) =>
      make(start + index),
    )
    made.push(...(await Promise.all(batch)))
  }
  return made
}

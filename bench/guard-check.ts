// Checks that a guard refuses bad credentials. This happens before the guard is timed, because a
// guard that admits every request would be the fastest.
import assert from 'node:assert/strict'

export interface Credential {
  readonly field: 'authorization' | 'cookie'
  readonly value: string
}

export function bearer(token: string): Credential {
  return { field: 'authorization', value: `Bearer ${token}` }
}

export function headerOf({ field, value }: Credential): Readonly<Record<string, string>> {
  return { [field]: value }
}

/**
 * Checks that a route accepts a credential. Also checks that the route refuses a request that has
 * no credential or a changed credential.
 *
 * @throws {AssertionError} if one of these checks fails
 */
export async function checkGuard(url: string, credential: Credential): Promise<void> {
  const statusOf = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    return answer.status
  }
  assert.equal(await statusOf(headerOf(credential)), 200, `${url} must accept the right credential`)
  assert.equal(await statusOf({}), 401, `${url} must refuse a request without a credential`)
  for (const value of changesOf(credential.value)) {
    assert.equal(
      await statusOf({ [credential.field]: value }),
      401,
      `${url} must refuse the credential ${value}`,
    )
  }
}

/**
 * Returns one variant of the credential for each of its parts between dots. In each variant, one
 * character in the middle of this part is changed.
 */
export function changesOf(credential: string): readonly string[] {
  const parts = credential.slice(credential.search(/[ =]/) + 1).split('.')
  const prefix = credential.slice(0, credential.length - parts.join('.').length)
  return parts.map((part, index) => {
    // A letter or digit that does not belong to an escape such as %2B.
    const replaceable = /(?<!%.?)[A-Za-z0-9]/g
    replaceable.lastIndex = Math.floor(part.length / 2)
    const at = replaceable.exec(part)?.index ?? 0
    const other = part[at] === 'a' ? 'b' : 'a'
    const changed = part.slice(0, at) + other + part.slice(at + 1)
    return prefix + parts.with(index, changed).join('.')
  })
}

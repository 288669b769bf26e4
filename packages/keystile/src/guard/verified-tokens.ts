/**
 * Proved tokens by their whole text, so that no two tokens ever share an entry. Bounded; the least
 * used go first.
 */
export interface VerifiedTokens<T> {
  find(token: string): T | undefined
  remember(token: string, verified: T): void
  forget(token: string): void
}

/**
 * Two generations: what is used moves to the young one, and when that is full the old one is
 * dropped whole. So a hit is one or two look-ups, nothing is ever sorted, and at most `2 ×
 * generationSize` tokens are held.
 */
export function createVerifiedTokens<T>(generationSize = 5_000): VerifiedTokens<T> {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  const remember = (token: string, verified: T): void => {
    if (young.size >= generationSize) {
      old = young
      young = new Map()
    }
    young.set(token, verified)
  }
  return {
    remember,
    find(token) {
      const found = young.get(token)
      if (found !== undefined) return found
      const older = old.get(token)
      if (older !== undefined) remember(token, older)
      return older
    },
    forget(token) {
      young.delete(token)
      old.delete(token)
    },
  }
}

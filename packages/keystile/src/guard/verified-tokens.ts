/**
 * A bounded cache of verified tokens. The key is the whole token string, not its `jti` or a hash,
 * so a forged token can never find the entry of another token.
 */
export interface VerifiedTokens<T> {
  find(token: string): T | undefined
  /** Adds a token. If the cache is full, evicts old tokens. */
  remember(token: string, verified: T): void
  forget(token: string): void
}

/**
 * The maximum number of characters of all tokens in one generation of the cache. 5,000 tokens of
 * 800 characters fit. A limit on the number of tokens alone is not enough: a token takes up to
 * twenty times its length in memory, and some issuers copy texts of the user into tokens. One user
 * could therefore fill the memory with long tokens.
 */
const maxCharacters = 4_194_304

/**
 * Creates a cache of two generations, young and old. A token that is used moves to the young
 * generation. When the young generation is full, it becomes the old generation, and the cache drops
 * the previous old generation as a whole. So a hit costs one or two look-ups, nothing is sorted,
 * and the cache holds at most `2 × generationSize` tokens with `2 × maxCharacters` characters.
 *
 * @param generationSize the maximum number of tokens in one generation. Without this limit, many
 *   different valid tokens could fill the memory
 */
export function createVerifiedTokens<T>(generationSize = 5_000): VerifiedTokens<T> {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let characters = 0

  const remember = (token: string, verified: T): void => {
    if (young.size >= generationSize || characters + token.length > maxCharacters) {
      old = young
      young = new Map()
      characters = 0
    }
    young.set(token, verified)
    characters += token.length
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

/** What a person accepted on a page: the URLs that the page showed. */
export interface Acceptance {
  readonly terms?: string | undefined
  readonly privacy?: string | undefined
  /** When, in milliseconds. Default: when the account is created. */
  readonly at?: number
}

/** A page or a part of one that says only one thing. */
export interface Titled {
  readonly heading: string
  readonly text: string
}

/** The longest header that is read, in characters. Browsers send less than three hundred. */
const maxLength = 1_000

/**
 * Whether a client would rather have HTML than JSON, as a browser that opens a page does. A client
 * that names neither, such as with the range for all types, gets JSON.
 *
 * @see RFC 9110 §12.5.1
 */
export function prefersHtml(header: string | null | undefined): boolean {
  if (!header || header.length > maxLength) return false

  const weights = weightsOf(header)
  const html = preferenceFor(['text/html', 'text/*', '*/*'], weights)
  const json = preferenceFor(['application/json', 'application/*', '*/*'], weights)
  const isMoreSpecific = html.weight === json.weight && html.rank < json.rank
  return html.weight > 0 && (html.weight > json.weight || isMoreSpecific)
}

/** A number from 0 to 1 with up to three decimals (RFC 9110 §12.4.2). */
const weightForm = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/

/** Returns the weight of each range in the header. The weight of a malformed one is 0. */
function weightsOf(header: string): ReadonlyMap<string, number> {
  return new Map(
    header.split(',').map((item) => {
      const [range = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
      return [range, weightForm.test(weight) ? Number(weight) : 0]
    }),
  )
}

/**
 * Returns the weight of a media type: that of the most specific range, whose index is `rank`.
 * Without such a range, the weight is 0 and the rank is -1.
 *
 * @param ranges the ranges that match the media type, the most specific first
 */
function preferenceFor(
  ranges: readonly string[],
  weights: ReadonlyMap<string, number>,
): { readonly weight: number; readonly rank: number } {
  const rank = ranges.findIndex((range) => weights.has(range))
  return { weight: weights.get(ranges[rank] ?? '') ?? 0, rank }
}

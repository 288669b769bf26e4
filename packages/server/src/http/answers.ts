import type { HttpAnswer } from 'keystile/internal'

/**
 * Returns an answer in JSON. No cache may store the answer, because most answers contain personal
 * data.
 */
export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

/** Answers a form: the browser opens another page with GET. */
export function seeOther(location: string): HttpAnswer {
  return { status: 303, headers: { location, 'cache-control': 'no-store' } }
}

export const emptyAnswer: HttpAnswer = { status: 204, headers: { 'cache-control': 'no-store' } }

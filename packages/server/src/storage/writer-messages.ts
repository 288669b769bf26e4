/** A command that the writer thread is to run. */
export interface WriterRequest {
  readonly id: number
  readonly command: string
  readonly values: unknown
}

/** What a command returned or threw. */
export type WriterReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WriterError }

/** An error on its way between threads. */
export interface WriterError {
  readonly message: string
  readonly code: string | undefined
  readonly isUnavailable: boolean
}

/** The reply to opening the file: the id that no request has. */
export const openingId = 0

/** Commands that may share a commit, or the end. */
export type WriterMessage = readonly WriterRequest[] | 'close'

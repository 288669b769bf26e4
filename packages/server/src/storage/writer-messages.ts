// The messages between the main thread and the writer thread. All of them are plain data.

export interface WriterRequest {
  readonly id: number
  readonly command: string
  readonly values: unknown
}

export type WriterReply =
  | { readonly id: number; readonly result: unknown; readonly notices?: readonly unknown[] }
  | { readonly id: number; readonly error: WriterError }

/** The members of an error that the other thread needs. */
export interface WriterError {
  readonly message: string
  readonly code: string | undefined
  readonly isUnavailable: boolean
}

/**
 * The id of the first reply, which says whether the file could be opened. The ids of requests start
 * at 1.
 */
export const openingId = 0

/**
 * A list of commands that may share a commit, or `close`, which tells the thread to close the file.
 */
export type WriterMessage = readonly WriterRequest[] | 'close'

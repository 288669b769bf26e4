// The queues of the main thread: of commands before they are sent to the writer thread, and of
// replies before they are passed to the callers.
import type { WriterReply, WriterRequest } from './writer-messages.ts'

/**
 * The longest time that a command waits for other commands, if its caller allows a wait. Commands
 * that are sent together share one message and one commit. Waking the thread and syncing the disk
 * take longer than the writes themselves.
 */
const lingerMilliseconds = 20
/**
 * The largest number of replies that are passed to callers in one turn of the event loop. A reply
 * can cause a millisecond of work, such as a signature, and guards must wait until this work is
 * done. With one reply in each turn, the server handled a third fewer refreshes.
 */
const maxSettledAtOnce = 4

/**
 * Creates the queue of replies. It passes at most `maxSettledAtOnce` replies to their callers in
 * each turn of the event loop.
 */
export function createReplies(settle: (reply: WriterReply) => void): {
  add(replies: readonly WriterReply[]): void
  settleAll(): void
} {
  const arrived: WriterReply[] = []

  function settleNext(count: number): void {
    for (const reply of arrived.splice(0, count)) settle(reply)
  }

  function settleInTurns(): void {
    settleNext(maxSettledAtOnce)
    if (arrived.length > 0) setImmediate(settleInTurns)
  }

  return {
    add(replies) {
      const isSettling = arrived.length > 0
      arrived.push(...replies)
      if (!isSettling) settleInTurns()
    },
    settleAll: () => settleNext(arrived.length),
  }
}

/**
 * Creates the queue of commands to send. A command that can wait is sent together with the next
 * command that cannot wait, or after `lingerMilliseconds`.
 */
export function createOutbox(post: (requests: readonly WriterRequest[]) => void): {
  add(request: WriterRequest, patienceMilliseconds: number): void
  send(): void
} {
  const unsent: WriterRequest[] = []
  let sending: NodeJS.Timeout | undefined

  function send(): void {
    clearTimeout(sending)
    sending = undefined
    if (unsent.length > 0) post(unsent.splice(0))
  }

  return {
    add(request, patienceMilliseconds) {
      unsent.push(request)
      if (patienceMilliseconds < lingerMilliseconds) send()
      else sending ??= setTimeout(send, lingerMilliseconds)
    },
    send,
  }
}

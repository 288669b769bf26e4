import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { WriterMessage, WriterRequest } from './writer-messages.ts'

/** The queue of requests that the writer thread has received but not started. */
export interface Inbox {
  add(message: WriterMessage): void
  /** Removes and returns the next entry. */
  next(): WriterRequest | 'close' | undefined
  /** Removes and returns the next entry, if it is a command. Leaves a `close` in the queue. */
  nextRequest(): WriterRequest | undefined
}

export function createInbox(port: MessagePort): Inbox {
  const arrived: (WriterRequest | 'close')[] = []

  const add = (message: WriterMessage): void =>
    void arrived.push(...(message === 'close' ? [message] : message))

  /**
   * If the queue is empty, takes the next message from the port, if there is one. Node emits an
   * event for a message only when this thread is idle, which is too late: the commands in the
   * message could not join the running commit.
   */
  function look(): void {
    const waiting = arrived.length === 0 ? receiveMessageOnPort(port) : undefined
    if (waiting) add(waiting.message as WriterMessage)
  }

  return {
    add,
    next() {
      look()
      return arrived.shift()
    },
    nextRequest() {
      look()
      const [first] = arrived
      if (first === 'close') return undefined
      arrived.shift()
      return first
    },
  }
}

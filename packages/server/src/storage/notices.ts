// Notices of commands: what this process must know after their commit.
import type { Command, Database, Transaction } from './database.ts'

/** Maps each transaction to the notices that its running command has announced. */
const announced = new WeakMap<Transaction, unknown[]>()

/**
 * Announces a notice in a transaction. The listeners of `onCommitted` in this process get the
 * notice after the commit. If the command fails, they never get it.
 *
 * @param notice plain data, which can be sent between threads
 */
export function announce(transaction: Transaction, notice: unknown): void {
  const notices = announced.get(transaction)
  if (notices) notices.push(notice)
  else announced.set(transaction, [notice])
}

export interface CommandOutcome<Result> {
  readonly result: Result
  readonly notices?: readonly unknown[]
}

/**
 * Runs a command. Returns its result and the notices that it announced. Commands that share a
 * transaction run one after the other.
 */
export async function runCommand<Values, Result>(
  command: Command<Values, Result>,
  transaction: Transaction,
  values: Values,
): Promise<CommandOutcome<Result>> {
  try {
    const result = await command.run(transaction, values)
    const notices = announced.get(transaction)
    return notices ? { result, notices } : { result }
  } finally {
    announced.delete(transaction)
  }
}

export interface Notifier {
  readonly onCommitted: Database['onCommitted']
  notify(notices: readonly unknown[] | undefined): void
}

export function createNotifier(): Notifier {
  const listeners: ((notice: unknown) => void)[] = []
  return {
    onCommitted: (listener) => void listeners.push(listener),
    notify(notices = []) {
      for (const notice of notices) for (const listener of listeners) listener(notice)
    },
  }
}

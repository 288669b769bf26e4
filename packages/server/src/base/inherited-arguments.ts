/**
 * The arguments that this process passes to Node in the thread that writes to SQLite: only
 * `--conditions=…`. The other arguments of this process are meant for the main program. Some of
 * them, such as `--input-type`, would stop a thread from starting.
 */
export const inheritedArguments: readonly string[] = process.execArgv.filter((argument) =>
  argument.startsWith('--conditions='),
)

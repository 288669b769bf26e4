/**
 * The arguments of Node that worker threads inherit from this process: only the export conditions.
 * Other arguments are meant for the main program. Some, such as `--input-type`, would stop a thread
 * from starting.
 */
export const inheritedArguments: readonly string[] = process.execArgv.filter((argument) =>
  argument.startsWith('--conditions='),
)

/**
 * What a thread of ours inherits from the command line of the process: the export conditions, and no more. The rest is
 * the program's own business, and some of it, such as `--input-type`, would keep the thread from starting.
 */
export const inheritedArguments: readonly string[] = process.execArgv.filter((argument) =>
  argument.startsWith('--conditions='),
)

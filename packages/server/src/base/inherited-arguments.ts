/**
 * The arguments of the process that our threads inherit: the export conditions alone. Others are
 * meant for the main program, and some, such as `--input-type`, would keep a thread from starting.
 */
export const inheritedArguments: readonly string[] = process.execArgv.filter((argument) =>
  argument.startsWith('--conditions='),
)

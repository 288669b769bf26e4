/**
 * The arguments that this process passes to Node in its worker threads: only `--conditions=…`. The
 * other arguments of this process are meant for the main program. Some of them, such as
 * `--input-type`, would stop a thread from starting.
 */
export function inheritedArguments(all: readonly string[] = process.execArgv): string[] {
  return all.filter((argument) => argument.startsWith('--conditions='))
}

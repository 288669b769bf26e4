/** The input and output of commands. `cli/terminal.ts` implements it for a process. */
export interface Terminal {
  /**
   * Prints one or more lines. Escapes control characters. Otherwise a user could choose a name that
   * changes what the operator's terminal shows.
   */
  print(text: string): void
  /** Prints one line of values, with a tab between them. */
  printRow(values: readonly string[]): void
  printJson(value: unknown): void
  printError(text: string): void
  /** Makes the process end with exit code 1. The command prints the reason itself. */
  fail(): void
  /** Returns the text in bold if the output goes to a terminal, and otherwise unchanged. */
  bold(text: string): string
  /**
   * Asks a question. Returns undefined when standard input is not a terminal.
   *
   * @throws {ConfigurationError} if the input ends before Enter
   */
  ask(question: string): Promise<string | undefined>
  /**
   * Asks a question and does not show what is typed.
   *
   * @throws {ConfigurationError} when standard input is not a terminal
   */
  askSecret(question: string): Promise<string>
  /**
   * Resolves at the first SIGTERM or SIGINT with the name of the signal. A second signal ends the
   * process immediately.
   */
  untilStopped(): Promise<string>
  /** Whether the output goes to a terminal, and not to a file or a pipe. */
  readonly isInteractive: boolean
  /** Aborted when the program that reads the output has ended, as `head` does after ten lines. */
  readonly unread: AbortSignal
}

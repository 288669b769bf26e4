/** The terminal as commands see it. The room `cli` makes it. */
export interface Terminal {
  /** Prints text of one or several lines. Whatever stands in it, the terminal obeys none of it. */
  print(text: string): void
  /** Prints a line of values with a tab between them. */
  printRow(values: readonly string[]): void
  /** Prints a line of JSON. */
  printJson(value: unknown): void
  /** Prints to standard error. */
  printError(text: string): void
  /** Has the process end with exit code 1; what was printed says why. */
  fail(): void
  /** Bold where a person is reading, and plain where a program is. */
  bold(text: string): string
  /** Asks without showing what is typed. @throws {ConfigurationError} where nobody can be asked */
  askSecret(question: string): Promise<string>
  /** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
  untilStopped(): Promise<string>
  /**
   * Resolves when whoever read what is printed has gone: `head`, say. From then on, what is printed
   * is lost.
   */
  untilUnread(): Promise<void>
}

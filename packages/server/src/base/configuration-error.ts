/** What an operator or developer configured cannot work or is not safe. The message says what is wrong and how to mend it. */
export class ConfigurationError extends TypeError {
  override readonly name = 'ConfigurationError'
}

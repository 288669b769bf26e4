/**
 * The configuration cannot work or is not safe. The message says what is wrong and how to fix it.
 */
export class ConfigurationError extends TypeError {
  override readonly name = 'ConfigurationError'
}

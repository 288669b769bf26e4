/**
 * Thrown when the configuration cannot work or is not safe. The message says what is wrong and how
 * to fix it, and holds no secret.
 */
export class ConfigurationError extends TypeError {
  override readonly name = 'ConfigurationError'
}

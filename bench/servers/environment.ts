// Reads the environment variables that a scenario gives to a measured server.

/** Returns the value of a variable. @throws {Error} when it is missing */
export function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is missing in the environment`)
  return value
}

export const hostname = '127.0.0.1'
/** The answer of both the open and the guarded route, so that they differ only in the guard. */
export const answer = { items: ['lamp', 'chair'] }

import { readFileSync } from 'node:fs'

/** Returns the version of `@keystile/server` from its package.json, which `#package` stands for. */
export function readVersion(): string {
  const file = new URL(import.meta.resolve('#package'))
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}

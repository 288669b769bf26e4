import { readFileSync } from 'node:fs'

export function readVersion(): string {
  const file = new URL(import.meta.resolve('#package'))
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}

import { KeyObject } from 'node:crypto'
import type { KeyMaterial } from './key-material.ts'

/** Returns the key as a `KeyObject`. @throws {TypeError} if it is anything else */
export function keyObjectOf(key: KeyMaterial): KeyObject {
  if (!(key instanceof KeyObject)) throw new TypeError('a key must come from importKey')
  return key
}

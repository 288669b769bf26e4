import { KeyObject } from 'node:crypto'
import type { KeyMaterial } from './key-material.ts'

/** Returns a key as node:crypto takes it. @throws {TypeError} for anything but a `KeyObject` */
export function keyObjectOf(key: KeyMaterial): KeyObject {
  if (!(key instanceof KeyObject)) throw new TypeError('a key must come from importKey')
  return key
}

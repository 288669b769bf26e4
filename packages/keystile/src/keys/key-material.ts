/**
 * The key itself: a `KeyObject` of node:crypto. This file does not use the types of Node, so an app
 * compiles without @types/node. `key-object.ts` converts it.
 */
export interface KeyMaterial {
  readonly type: 'secret' | 'public' | 'private'
}

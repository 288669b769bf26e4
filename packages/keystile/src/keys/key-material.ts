/**
 * The key itself: a `KeyObject` of node:crypto. This interface names none of Node's types, so an
 * app compiles without @types/node.
 */
export interface KeyMaterial {
  readonly type: 'secret' | 'public' | 'private'
}

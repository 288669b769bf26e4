/**
 * The key itself: a `KeyObject` of node:crypto. This interface does not use the types of Node, so
 * an app compiles without @types/node.
 */
export interface KeyMaterial {
  readonly type: 'secret' | 'public' | 'private'
}

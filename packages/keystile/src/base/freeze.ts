/**
 * Freezes an object and everything in its plain objects and arrays. Other values inside it, such as
 * a Date, a Map or an instance of a class, stay as they are: freezing them would not stop their
 * methods, and some cannot be frozen.
 *
 * @returns the same object
 */
export function deepFreeze<T extends object>(root: T): T {
  // Frozen objects are not entered again, so a cycle ends.
  Object.freeze(root)
  // Reads the descriptors, because a getter may be expensive.
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(root))) {
    if (isPlain(value) && !Object.isFrozen(value)) deepFreeze(value)
  }
  return root
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

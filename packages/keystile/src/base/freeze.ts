/**
 * Freezes an object and everything in its plain objects and arrays. Other values inside it, such as
 * a Date, a Map or an instance of a class, stay as they are: freezing them would not stop their
 * methods, and some cannot be frozen.
 *
 * @returns the same object
 */
export function deepFreeze<T extends object>(root: T): T {
  freezeAll(root, new Set())
  return root
}

/** @param entered what was entered before, so that a cycle ends */
function freezeAll(part: object, entered: Set<object>): void {
  if (entered.has(part)) return
  entered.add(part)

  Object.freeze(part)
  // Reads the descriptors, because a getter may be expensive.
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(part))) {
    if (isPlain(value)) freezeAll(value, entered)
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

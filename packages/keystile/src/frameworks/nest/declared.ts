// Stores what the decorators declare about classes and methods, and computes the demand of a
// handler.
import { joinDemands, type Demand } from '../../guard/demand.ts'
import type { GuardCore } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'

/**
 * The guard core of any app. This type does not say which scopes the app has, and which type its
 * users have.
 */
export type AnyCore = GuardCore<string, unknown, TokenType>

export type Class = abstract new (...args: never) => unknown

/** Whether `value` is a class. Also true for any other function, which has no handlers. */
export function isClass(value: unknown): value is Class {
  return typeof value === 'function'
}

type Handler = (...args: never) => unknown

export type Declaration =
  | { readonly kind: 'public' }
  | {
      readonly kind: 'guard' | 'optional'
      /**
       * Reads the arguments of the decorator.
       *
       * @throws {TypeError} for a scope that the app has not declared
       */
      readonly read: (core: AnyCore) => Demand
    }

// Methods are remembered by prototype and name and not by their function: another decorator may
// replace the function, and must not remove the demand with it. The maps belong to this copy of the
// module. If a program loads a second copy, an app that mixes the two does not start.
const ofClasses = new WeakMap<object, Declaration[]>()
const ofMethods = new WeakMap<object, Map<PropertyKey, Declaration[]>>()

/**
 * Adds a declaration to a class. The declaration applies to all methods of the class and of its
 * subclasses.
 */
export function declareOnClass(type: object, declaration: Declaration): void {
  ofClasses.set(type, [...(ofClasses.get(type) ?? []), declaration])
}

/**
 * Adds a declaration to a method.
 *
 * @throws {TypeError} for a method that is both public and guarded
 */
export function declareOnMethod(
  prototype: object,
  name: PropertyKey,
  declaration: Declaration,
): void {
  const methods = ofMethods.get(prototype) ?? new Map<PropertyKey, Declaration[]>()
  const declarations = [...(methods.get(name) ?? []), declaration]
  if (isPublic(declarations) && declarations.some(({ kind }) => kind === 'guard')) {
    throw new TypeError(
      `${nameOf(prototype.constructor, name)} has both @Public() and a guard: remove one of them`,
    )
  }
  ofMethods.set(prototype, methods.set(name, declarations))
}

/** Returns the name of a method for messages: `ItemsController.list`. */
export function nameOf({ name }: { readonly name: string }, method: PropertyKey): string {
  return `${name}.${String(method)}`
}

interface Method {
  readonly name: PropertyKey
  readonly handler: Handler
}

/**
 * Returns all methods of a class, including inherited methods. Leaves out methods that are
 * overridden.
 */
export function methodsOf(type: Class): readonly Method[] {
  const methods = new Map<PropertyKey, Method>()
  for (const prototype of prototypesOf(type)) {
    for (const name of Reflect.ownKeys(prototype)) {
      const handler: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value
      if (name === 'constructor' || methods.has(name) || !isHandler(handler)) continue
      methods.set(name, { name, handler })
    }
  }
  return [...methods.values()]
}

/** Returns the declarations that were added to a class and to its superclasses. */
export function declaredOnClass(type: Class): readonly Declaration[] {
  return prototypesOf(type).flatMap(({ constructor }) => ofClasses.get(constructor) ?? [])
}

/** Returns the declarations of a method, from the class that contains the code of the method. */
export function declaredOnMethod(type: Class, name: PropertyKey): readonly Declaration[] {
  const owner = prototypesOf(type).find((prototype) => Object.hasOwn(prototype, name))
  return (owner && ofMethods.get(owner)?.get(name)) ?? []
}

export interface HandlerDemand {
  readonly joined: Demand
  /**
   * The demands that `joined` combines, in the order of the checks. If the app's default demand
   * applies, it comes first. Then come the demands of each class and of its method, from the
   * topmost superclass down.
   */
  readonly parts: readonly Demand[]
}

/**
 * Returns the demand of a handler. This demand joins the default demand of the app and the demands
 * of the class, its superclasses, the method and the methods that this method overrides. Returns
 * `undefined` if every caller may use the handler.
 *
 * If the method that runs has `@Public()`, the result contains only the demands of
 * `@OptionalGuard(…)` above the same method. `@Public()` does not apply to methods of subclasses
 * that override the method.
 *
 * @throws {TypeError} for a scope that is not declared, and for a handler that is not a method of
 *   the class
 */
export function demandOf(
  type: Class,
  handler: unknown,
  { core, byDefault }: { readonly core: AnyCore; readonly byDefault: Demand | undefined },
): HandlerDemand | undefined {
  const method = methodsOf(type).find((one) => one.handler === handler)
  // For example, another library has replaced the methods of an instance.
  if (!method) {
    throw new TypeError(
      `a handler of ${type.name} is not a method of this class, so its guard is unknown: ` +
        'decorate the method itself, and do not replace methods of instances',
    )
  }

  const own = declaredOnMethod(type, method.name)
  if (isPublic(own)) return join(readAll(own, core))
  const declarations = prototypesOf(type)
    .toReversed()
    .flatMap((prototype) => [
      ...(ofClasses.get(prototype.constructor) ?? []),
      ...(ofMethods.get(prototype)?.get(method.name) ?? []),
    ])
  const demands = readAll(declarations, core)
  // The default demand is only a token. A guard demands a token too, so then the default adds
  // nothing.
  const isGuarded = demands.some(({ optional }) => !optional)
  return join(byDefault && !isGuarded ? [byDefault, ...demands] : demands)
}

function readAll(declarations: readonly Declaration[], core: AnyCore): readonly Demand[] {
  return declarations.flatMap((one) => (one.kind === 'public' ? [] : [one.read(core)]))
}

function join(parts: readonly Demand[]): HandlerDemand | undefined {
  const [first, ...others] = parts
  return first && { joined: others.reduce(joinDemands, first), parts }
}

function isPublic(declarations: readonly Declaration[]): boolean {
  return declarations.some(({ kind }) => kind === 'public')
}

/** Returns the prototypes of a class and of its superclasses. */
function prototypesOf(type: Class): readonly object[] {
  const prototypes: object[] = []
  let at: unknown = type.prototype
  while (typeof at === 'object' && at !== null && at !== Object.prototype) {
    prototypes.push(at)
    at = Reflect.getPrototypeOf(at)
  }
  return prototypes
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function'
}

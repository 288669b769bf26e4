import { createParamDecorator, UseGuards } from '@nestjs/common'
import { kindOf } from '../../base/options.ts'
import {
  readAlternatives,
  readDemand,
  type AlternativeArguments,
  type DemandArguments,
} from '../../guard/demand.ts'
import { findCaller, getCaller } from './admitted.ts'
import { declareOnClass, declareOnMethod, type Declaration } from './declared.ts'
import { KeystileGuard } from './guard.ts'

export type ClassOrMethodDecorator = ClassDecorator & MethodDecorator

// A decorator runs before the scopes and users of the app are known. `check-handlers.ts` reads the
// arguments again when the app starts.
const unknownApp = {
  declared: undefined,
  hasUsers: true,
  optional: false,
} as const

// The functions below are arrow functions: Nest cannot construct them, so `@UseGuards(Guard)` fails
// when the app starts, and is not silently ignored.

/**
 * Admits a caller that has all of these scopes. With `maxAgeSeconds`, the caller must also have a
 * recent login; with `acr`, a strong login; with `verified`, the caller must also have a verified
 * e-mail address. Write `@Guard('items:read')` above a controller, a gateway, a resolver or one of
 * their methods.
 *
 * All demands apply together: those of the class, its superclasses, the method and the methods that
 * it overrides. TypeScript accepts any scope in `@Guard(…)`. In `@Guard<Scope>(…)`, it accepts only
 * the scopes of the type `Scope`. An app does not start if a scope is not declared, or if a guard
 * has `verified` but the app has no `user`.
 *
 * @throws {TypeError} for a wrong argument, and if the decorator does not stand above a class or a
 *   method
 */
export const Guard = <S extends string = string>(
  ...demand: DemandArguments<S>
): ClassOrMethodDecorator => {
  readDemand<string>(demand, unknownApp)
  return decorator('Guard', { kind: 'guard', read: (core) => core.demand(demand, false) })
}

/**
 * Admits a caller that has one of the given scopes, or all scopes of one of the given lists.
 *
 * @throws {TypeError} for a wrong argument, and if the decorator does not stand above a class or a
 *   method
 */
export const AnyOf = <S extends string = string>(
  ...alternatives: AlternativeArguments<S>
): ClassOrMethodDecorator => {
  readAlternatives<string>(alternatives, undefined)
  return decorator('AnyOf', { kind: 'guard', read: (core) => core.demandAnyOf(alternatives) })
}

/**
 * Like `@Guard(…)`, but admits a request without a credential. Refuses a wrong credential. All
 * demands apply together, so a request without a token is still refused if the class or the whole
 * app demands a token. To admit such requests, add `@Public()` to the method.
 *
 * @throws {TypeError} for a wrong argument, and if the decorator does not stand above a class or a
 *   method
 */
export const OptionalGuard = <S extends string = string>(
  ...demand: DemandArguments<S>
): ClassOrMethodDecorator => {
  readDemand<string>(demand, unknownApp)
  return decorator('OptionalGuard', { kind: 'optional', read: (core) => core.demand(demand, true) })
}

/**
 * Admits every request to one method, even if its class has a guard. No other decorator does this.
 * If a subclass overrides the method, `@Public()` does NOT apply to the overriding method.
 * `@Public()` cannot stand above a class, so a new method of a class is never public by accident.
 *
 * @throws {TypeError} if the decorator does not stand above a method, or stands above a method with
 *   `@Guard` or `@AnyOf`
 */
export const Public = (): MethodDecorator => {
  const declare = decorator('Public', { kind: 'public' })
  return (target, name, descriptor) => declare(target, name, descriptor)
}

/**
 * Passes the caller to a parameter: `list(@Caller() { user }: CallerOf<typeof keystile>)`.
 * TypeScript cannot check the type of the parameter.
 *
 * During a request, `@Caller()` throws a `TypeError` if no guard ran, or if only an optional guard
 * ran and the request has no credential.
 */
export const Caller: () => ParameterDecorator = createParamDecorator((_: unknown, context) =>
  getCaller(context),
)

/**
 * Passes the caller to a parameter. Passes `undefined` if `@OptionalGuard()` has admitted a request
 * without a credential. During a request, `@OptionalCaller()` throws a `TypeError` if no guard ran.
 */
export const OptionalCaller: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context) => findCaller(context),
)

function decorator(name: string, declaration: Declaration): ClassOrMethodDecorator {
  return (target: object, method?: PropertyKey, descriptor?: unknown): void => {
    const { value } = Object(descriptor) as { readonly value?: unknown }
    if (typeof target === 'function' && method === undefined && declaration.kind !== 'public') {
      declareOnClass(target, declaration)
      enforceOn(target)
    } else if (typeof target === 'object' && method !== undefined && typeof value === 'function') {
      declareOnMethod(target, method, declaration)
      enforceOn(target.constructor)
    } else {
      const places = declaration.kind === 'public' ? 'a method' : 'a class or a method'
      const place = method ?? (typeof target === 'function' ? 'a class' : kindOf(target))
      throw new TypeError(
        `@${name}(…) must stand above ${places}; it stands above ${String(place)}`,
      )
    }
  }
}

/**
 * Makes Nest call the guard for all methods of a class. Without `KeystileModule`, Nest cannot
 * create the guard, and the app does not start.
 */
function enforceOn(type: Function): void {
  UseGuards(KeystileGuard)(type)
}

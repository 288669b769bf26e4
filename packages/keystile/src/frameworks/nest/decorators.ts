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

/** The decorator of a class or of a method. */
export type ClassOrMethodDecorator = ClassDecorator & MethodDecorator

// A decorator runs before the app has its scopes and users. `check-handlers.ts` reads its arguments
// again, with them.
const unknownApp = { declared: undefined, hasUsers: true } as const

// The functions below are arrow functions: Nest cannot construct them, so `@UseGuards(Guard)` fails
// when the app starts, and is not silently ignored.

/**
 * Admits a caller that has all of these scopes and, with `maxAgeSeconds`, a recent login, and with
 * `verified` a verified e-mail address: `@Guard('items:read')` above a controller, a gateway, a
 * resolver or one of their methods.
 *
 * Demands add up: those of the class, of the classes that it extends, of the method and of the
 * methods that it overrides. The compiler accepts any scope; `@Guard<Scope>(…)` only those of the
 * type. An app with a scope that is not declared does not start, nor does one with `verified` and
 * without `user`.
 *
 * @throws {TypeError} for a wrong argument, and above anything but a class or method
 */
export const Guard = <S extends string = string>(
  ...demand: DemandArguments<S>
): ClassOrMethodDecorator => {
  readDemand<string>(demand, { ...unknownApp, optional: false })
  return decorator('Guard', { kind: 'guard', read: (core) => core.demand(demand, false) })
}

/**
 * Admits a caller that has one of the given scopes, or all scopes of one of the given lists.
 *
 * @throws {TypeError} for a wrong argument, and above anything but a class or method
 */
export const AnyOf = <S extends string = string>(
  ...alternatives: AlternativeArguments<S>
): ClassOrMethodDecorator => {
  readAlternatives<string>(alternatives, undefined)
  return decorator('AnyOf', { kind: 'guard', read: (core) => core.demandAnyOf(alternatives) })
}

/**
 * Also admits a request without a credential. A wrong credential is still refused. Demands add up,
 * so a token is needed nevertheless if the class needs one, or if every route does: then add
 * `@Public()` to the method.
 *
 * @throws {TypeError} for a wrong argument, and above anything but a class or method
 */
export const OptionalGuard = <S extends string = string>(
  ...demand: DemandArguments<S>
): ClassOrMethodDecorator => {
  readDemand<string>(demand, { ...unknownApp, optional: true })
  return decorator('OptionalGuard', { kind: 'optional', read: (core) => core.demand(demand, true) })
}

/**
 * Opens one method to every request, whatever its class demands. Nothing else opens a method. It
 * does NOT open a method that overrides this one, and stands above no class: a method that is added
 * to a class is never open by accident.
 *
 * @throws {TypeError} above anything but a method, and above a method with `@Guard` or `@AnyOf`
 */
export const Public = (): MethodDecorator => {
  const declare = decorator('Public', { kind: 'public' })
  return (target, name, descriptor) => declare(target, name, descriptor)
}

/**
 * Passes the caller to a parameter: `list(@Caller() { user }: CallerOf<typeof keystile>)`. The
 * compiler cannot check the type of the parameter.
 *
 * When the request comes, it throws a `TypeError` if no guard ran for it, or if only an optional
 * guard ran and the request has no credential.
 */
export const Caller: () => ParameterDecorator = createParamDecorator((_: unknown, context) =>
  getCaller(context),
)

/**
 * Passes the caller to a parameter; `undefined` for a request without a credential, which only
 * `@OptionalGuard()` admits. When the request comes, it throws a `TypeError` if no guard ran.
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
      throw new TypeError(
        `@${name}(…) must stand above ${places}; ` +
          `${method === undefined ? kindOf(target) : String(method)} is something else`,
      )
    }
  }
}

/**
 * Lets Nest call the guard for all methods of a class. Without `KeystileModule`, Nest then cannot
 * create the guard, and the app does not start.
 */
function enforceOn(type: Function): void {
  UseGuards(KeystileGuard)(type)
}

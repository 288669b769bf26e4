// The recipe: a decorator that guards, one that returns the caller, and a document of what is
// guarded.
import {
  createParamDecorator,
  UseGuards,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common'
import { GUARDS_METADATA } from '@nestjs/common/constants.js'
import { ModulesContainer } from '@nestjs/core'
import type { OpenAPIObject } from '@nestjs/swagger'
import type { ExpressMiddleware } from 'keystile/express'
import { secure } from 'keystile/openapi'
import { guard } from './auth.ts'

type Demand = Parameters<typeof guard>
type Decorator = MethodDecorator & ClassDecorator

/**
 * Guards a method or a whole controller: `@Guarded('items:read')`. A method's guard adds to that of
 * its controller.
 */
export const Guarded = (...demand: Demand): Decorator => GuardedBy(guard(...demand))

/** The same with any guard: `@GuardedBy(guard.anyOf('items:read', 'items:write'))`. */
export function GuardedBy(middleware: ExpressMiddleware): Decorator {
  const canActivate = (context: ExecutionContext): Promise<boolean> => {
    const http = context.switchToHttp()
    // On a refusal the guard answers itself and the promise stays pending, so Nest does not go on.
    return new Promise((resolve, reject) =>
      middleware(http.getRequest(), http.getResponse(), (error) =>
        error ? reject(error) : resolve(true),
      ),
    )
  }
  // `secured` finds the middleware here, so the document says what is enforced.
  const enforced = { canActivate, middleware }
  return UseGuards(enforced)
}

/** Passes the caller to a method: `list(@Caller() { user }: CallerOf)`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  guard.caller(context.switchToHttp().getRequest()),
)
export type CallerOf = ReturnType<typeof guard.caller>

/** Writes into Nest's document what the guards of its controllers demand. */
export function secured(document: OpenAPIObject, app: INestApplication): OpenAPIObject {
  const wrappers = [...app.get(ModulesContainer).values()].flatMap((module) => [
    ...module.controllers.values(),
  ])
  const classes = wrappers.map(({ metatype }) => metatype as new () => object)
  const controllers = new Map(classes.map((controller) => [controller.name, controller]))
  // Nest's document names an operation by its class. With two classes of one name, an operation
  // would get the guards of the other class.
  if (controllers.size < new Set(classes).size)
    throw new Error('two controllers have one name: rename one of them')
  return secure(document, (method, path) => {
    const operation = document.paths[path]?.[method.toLowerCase() as 'get']
    // Nest names an operation after its class and its method.
    const [name = '', handler = ''] = operation?.operationId?.split('_') ?? []
    const controller = controllers.get(name)
    if (!controller) return undefined
    const targets = [controller, (controller.prototype as Record<string, object>)[handler]!]
    const guards = targets.flatMap(
      (target): object[] => Reflect.getMetadata(GUARDS_METADATA, target) ?? [],
    )
    return guards.map((one) => 'middleware' in one && one.middleware)
  })
}

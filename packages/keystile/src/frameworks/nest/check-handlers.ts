// Checks the decorators of an app when it starts, so that a mistake cannot leave a handler open.
import type { ModulesContainer } from '@nestjs/core'
import {
  declaredOnClass,
  declaredOnMethod,
  isClass,
  methodsOf,
  nameOf,
  type Class,
} from './declared.ts'
import type { Guards } from './guard.ts'

/** The metadata keys that mark a method as a handler. Nest runs the guards before a handler. */
const handlerMetadata = [
  'path', // a route
  'websockets:message_mapping',
  'microservices:pattern',
  'graphql:resolver_type', // a query, a mutation or a subscription
]

/**
 * The metadata keys of methods that @nestjs/graphql calls without guards, unless the app sets
 * `fieldResolverEnhancers: ['guards']`.
 */
const fieldMetadata = ['graphql:resolve_property', 'graphql:resolve_reference']

/**
 * Checks the classes of all controllers and providers of an app.
 *
 * @throws {TypeError} for a scope that is not declared, for a decorator in a place where Nest
 *   calls no guard, and for a GraphQL context that requests share
 */
export function checkHandlers(modules: ModulesContainer, guards: Guards): void {
  const graphql = graphqlOptionsOf(modules)
  for (const { context } of graphql) if (typeof context === 'object' && context) throw isShared()

  const hasFieldGuards = graphql.every(callsFieldGuards)
  for (const { controllers, providers } of modules.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()])
      if (isClass(metatype)) checkClass(metatype, guards, hasFieldGuards)
  }
}

function checkClass(type: Class, guards: Guards, hasFieldGuards: boolean): void {
  let isCalled = false
  for (const { name, handler } of methodsOf(type)) {
    const isDeclared = declaredOnMethod(type, name).length > 0
    const isField = hasMetadata(handler, fieldMetadata)
    if (isField || hasMetadata(handler, handlerMetadata)) {
      isCalled = true
      // Reads the demand now, so that a wrong scope stops the start and not the first request.
      guards.demandOf(type, handler)
    } else if (isDeclared) throw guardsNothing(nameOf(type, name))

    if (isField && !hasFieldGuards && (isDeclared || declaredOnClass(type).length > 0)) {
      throw new TypeError(
        `@nestjs/graphql calls no guard for the field ${nameOf(type, name)}. ` +
          "Fix: GraphQLModule.forRoot({ fieldResolverEnhancers: ['guards'], … })",
      )
    }
  }
  if (!isCalled && declaredOnClass(type).length > 0) throw guardsNothing(type.name)
}

function guardsNothing(name: string): TypeError {
  return new TypeError(
    `a decorator of keystile/nest stands above ${name}, but ${name} handles no requests. ` +
      'Fix: put the decorator above a controller, a gateway, a resolver or one of their handlers',
  )
}

// @nestjs/mercurius gives this object to every request, and keeps the first request in it.
function isShared(): TypeError {
  return new TypeError(
    'the option `context` of GraphQLModule is an object, so all requests would share one ' +
      'context, and the guard could not know whose token counts. Fix: context: () => ({ … })',
  )
}

interface GraphqlOptions {
  readonly context?: unknown
  readonly fieldResolverEnhancers?: unknown
}

/** Returns the options of each GraphQLModule of the app. */
function graphqlOptionsOf(modules: ModulesContainer): readonly GraphqlOptions[] {
  return [...modules.values()].flatMap(({ providers }) => {
    const instance: unknown = providers.get('GqlModuleOptions')?.instance
    return instance === undefined ? [] : [Object(instance) as GraphqlOptions]
  })
}

/** Whether a GraphQLModule also calls guards for fields. */
function callsFieldGuards({ fieldResolverEnhancers: enhancers }: GraphqlOptions): boolean {
  return Array.isArray(enhancers) && enhancers.includes('guards')
}

function hasMetadata(handler: object, keys: readonly string[]): boolean {
  return keys.some((key) => Reflect.hasMetadata(key, handler))
}

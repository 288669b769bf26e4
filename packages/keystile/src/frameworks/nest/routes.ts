// Finds the handlers that an OpenAPI document of @nestjs/swagger describes.
import type { INestApplicationContext } from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { asJsonObject, type JsonObject } from '../../base/json.ts'
import { markGuard } from '../../guard/guard-mark.ts'
import type { GuardFinder } from '../routes.ts'
import { isClass, methodsOf, type Class } from './declared.ts'
import { guardsToken, type Guards } from './guard.ts'

// Where the decorator @ApiSecurity stores its requirements. @nestjs/swagger copies the requirements
// of a class and of its method into each operation. So a name among them tells which class and
// method an operation describes, whatever its path, its version and its id are.
const securityKey = 'swagger/apiSecurity'
const classMark = 'keystile class '
const methodMark = 'keystile method '

/**
 * Returns a function that finds the guards of an operation in an OpenAPI document.
 *
 * @param create creates the document
 *
 * @throws {Error} if the app has no `KeystileModule`
 */
export function guardFinderOf(app: INestApplicationContext, create: () => object): GuardFinder {
  const guards = app.get<Guards>(guardsToken)
  const classes = controllersOf(app)
  const handlers = [...new Set(classes.flatMap(methodsOf).map(({ handler }) => handler))]

  const unmark = mark([
    ...classes.map((type, i) => [type, `${classMark}${i}`] as const),
    ...handlers.map((handler, i) => [handler, `${methodMark}${i}`] as const),
  ])
  let marked: object
  try {
    marked = create()
  } finally {
    unmark()
  }

  return (method, path) => {
    const paths = asJsonObject(asJsonObject(marked)['paths'])
    const operation = asJsonObject(asJsonObject(paths[path])[method])
    const type = classes[indexIn(operation, classMark)]
    const handler = handlers[indexIn(operation, methodMark)]
    if (!type || !handler) return undefined
    const demand = guards.demandOf(type, handler)
    return [demand && markGuard({}, guards.core, demand.joined)]
  }
}

function controllersOf(app: INestApplicationContext): readonly Class[] {
  const modules = [...app.get(ModulesContainer).values()]
  const wrappers = modules.flatMap(({ controllers }) => [...controllers.values()])
  return [...new Set(wrappers.map(({ metatype }) => metatype))].filter(isClass)
}

type Requirements = readonly object[]

/**
 * Marks each class and method with a security requirement that has a unique name. Returns a
 * function that removes the marks.
 */
function mark(targets: readonly (readonly [target: object, name: string])[]): () => void {
  const before = targets.map(([target, name]) => ({
    target,
    name,
    own: Reflect.getOwnMetadata(securityKey, target) as Requirements | undefined,
    inherited: (Reflect.getMetadata(securityKey, target) ?? []) as Requirements,
  }))
  for (const { target, name, inherited } of before) {
    const marking = { [name]: [] }
    Reflect.defineMetadata(securityKey, [...inherited, marking], target)
  }
  return () => {
    for (const { target, own } of before) {
      if (own) Reflect.defineMetadata(securityKey, own, target)
      else Reflect.deleteMetadata(securityKey, target)
    }
  }
}

/** Returns the number at the end of an operation's mark; -1 if the operation has no such mark. */
function indexIn({ security }: JsonObject, mark: string): number {
  const names = [security].flat().flatMap((requirement) => Object.keys(Object(requirement)))
  const name = names.find((one) => one.startsWith(mark))
  return name === undefined ? -1 : Number(name.slice(mark.length))
}

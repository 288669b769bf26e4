import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { templateOf } from '../path-templates.ts'
import { cannotLookInto, type FoundRoute } from '../routes.ts'
import { alwaysAnswers, join, passRoute, type Layer, type Match } from './layers.ts'

/**
 * Follows a request through the layers, and collects the guards that it passes.
 *
 * @param prefix the template of the routers around these layers; `undefined` if it is unknown
 * @param guards the guards that were found so far. `findRoute` appends to this list
 */
export function findRoute(
  stack: readonly Layer[],
  method: string,
  path: string,
  prefix: string | undefined,
  guards: GuardMark[],
): FoundRoute | undefined {
  let hasOtherMethods = false
  for (const layer of stack) {
    const matched = layer.match(path)
    if (!matched) continue

    const match = typeof matched === 'object' ? matched : layer
    const { route, handle } = layer
    const template = templateOfMatch(prefix, match.pattern ?? route?.path, match)
    if (route) {
      if (!route.methods['_all'] && !route.methods[method]) hasOtherMethods = true
      if (passRoute(route, method, guards)) return { guards, template }
      continue
    }

    const rest = path.slice(match.path.length)
    // Express skips a layer whose match ends within a path segment. Express 4 accepts a dot there.
    if ((layer.regexp ? /^[^/.]/ : /^[^/]/).test(rest)) continue

    const mark = findGuardMark(handle)
    if (mark) guards.push(mark)
    else if (layer.name === 'mounted_app') throw cannotLookInto(path)
    else if (handle.stack) {
      const found = findRoute(handle.stack, method, rest || '/', template, guards)
      if (found) return found
    } else if (alwaysAnswers(handle)) return { guards, template: undefined }
  }

  // A router with routes for other methods answers OPTIONS itself.
  return method === 'options' && hasOtherMethods ? { guards, template: undefined } : undefined
}

/**
 * Returns the OpenAPI template of a layer that matched: the template of the routers around the
 * layer, followed by the layer's own template. Returns `undefined` if either template is unknown.
 *
 * @param prefix the template of the routers around the layer
 */
function templateOfMatch(
  prefix: string | undefined,
  own: unknown,
  match: Match,
): string | undefined {
  const template = (typeof own === 'string' ? templateOf(own) : undefined) ?? nameValues(match)
  return prefix === undefined || template === undefined ? undefined : join(prefix, template)
}

/**
 * Rebuilds the template of a match: replaces each value in the path with the name of its parameter,
 * so `/users/42` becomes `/users/{id}`. Express 4 needs this, because it does not keep the path
 * that the app passed to `use`.
 */
function nameValues({ path, params }: Match): string | undefined {
  let template = ''
  let rest = path
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    // Wildcards and groups of regular expressions have a number as their name, or a list as their
    // value. OpenAPI has no such parameter.
    if (typeof value !== 'string' || /^\d/.test(name)) return undefined

    const text = encodeURIComponent(value)
    const segment = `${rest}/`.indexOf(`/${text}/`)
    const at = segment === -1 ? rest.indexOf(text) : segment + 1
    if (at === -1) return undefined

    template += `${rest.slice(0, at)}{${name}}`
    rest = rest.slice(at + text.length)
  }
  return template + rest
}

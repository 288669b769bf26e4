import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { templateOf } from '../path-templates.ts'
import { cannotLookInto, type FoundRoute } from '../routes.ts'
import { alwaysAnswers, join, passRoute, type Layer, type Match } from './layers.ts'

/** Finds the route that answers a request, and the guards that the request passes before. */
export function findRoute(
  stack: readonly Layer[],
  method: string,
  path: string,
): FoundRoute | undefined {
  return search(stack, { path, prefix: '' }, { method, guards: [] })
}

/** Where a request is: at the layers of the app, or of a router in it. */
interface Place {
  /** The rest of the path that the layers must match. */
  readonly path: string
  /** The template of the routers around these layers; `undefined` if it is unknown. */
  readonly prefix: string | undefined
}

interface Search {
  readonly method: string
  /** The guards that the request has passed so far. The search adds to this list. */
  readonly guards: GuardMark[]
}

/** Follows a request through the layers, in their order, up to the function that answers. */
function search(
  stack: readonly Layer[],
  { path, prefix }: Place,
  { method, guards }: Search,
): FoundRoute | undefined {
  let hasOtherMethods = false
  for (const layer of stack) {
    const match = matchOf(layer, path)
    if (!match) continue

    const { route, handle } = layer
    const template = templateOfMatch(prefix, match.pattern ?? route?.path, match)
    if (route) {
      if (!route.methods['_all'] && !route.methods[method]) hasOtherMethods = true
      if (passRoute(route, method, guards)) return { guards, template }
      continue
    }

    const mark = findGuardMark(handle)
    if (mark) {
      guards.push(mark)
    } else if (layer.name === 'mounted_app') {
      throw cannotLookInto(path)
    } else if (handle.stack) {
      const inner = { path: path.slice(match.path.length) || '/', prefix: template }
      const found = search(handle.stack, inner, { method, guards })
      if (found) return found
    } else if (alwaysAnswers(handle)) {
      return { guards, template: undefined }
    }
  }

  // A router with routes for other methods answers OPTIONS itself.
  return method === 'options' && hasOtherMethods ? { guards, template: undefined } : undefined
}

/** Returns how a layer matches a path; `undefined` if Express skips the layer. */
function matchOf(layer: Layer, path: string): Match | undefined {
  const matched = layer.match(path)
  if (!matched) return undefined

  const match = typeof matched === 'object' ? matched : layer
  if (layer.route) return match

  // A middleware or a router must match whole segments. Express 4 also accepts a dot after them.
  const isWithinSegment = layer.regexp ? /^[^/.]/ : /^[^/]/
  return isWithinSegment.test(path.slice(match.path.length)) ? undefined : match
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

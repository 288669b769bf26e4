import type { Demand } from '../../guard/demand.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore, type Caller } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import { toResponse, type HttpRequest } from '../../http/message.ts'
import { assembleGuard, type AssembledGuard } from '../assemble-guard.ts'
import { acceptMountable, type Mountable } from '../mountable.ts'
import { readWebRequest } from './web-request.ts'

/**
 * Wraps a handler in a guard. The handler gets the caller as its second argument, and then the
 * framework's further arguments. This form is for frameworks such as Next.js, SvelteKit and React
 * Router, which have no middleware for a single route.
 */
export type WebGuard<C> = <Rest extends readonly unknown[]>(
  handler: (request: Request, caller: C, ...rest: Rest) => Response | Promise<Response>,
) => (request: Request, ...rest: Rest) => Promise<Response>

/** Guards for handlers that take a web `Request`. */
export interface Guard<S extends string, U, T extends TokenType = 'at+jwt'> extends AssembledGuard<
  S,
  U,
  T,
  WebGuard<Caller<S, U, T>>,
  Request,
  HttpRequest,
  WebGuard<Caller<S, U, T> | undefined>
> {}

/**
 * Creates the guards of an app from a verifier, or from the object of `createKeystile`.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
  T extends TokenType = 'at+jwt',
>(options: GuardOptions<S, U, T>): Guard<S, U, T> {
  const core = createGuardCore(options)
  const assembled = assembleGuard(
    core,
    (demand: Demand<S>): WebGuard<Caller<S, U, T> | undefined> =>
      (handler) =>
      async (request, ...rest) => {
        const known = core.enterAtOnce(request, request, demand)
        if (known) return handler(request, known, ...rest)

        const decision = await core.enter(request, request, demand)
        return decision.allowed
          ? handler(request, decision.caller, ...rest)
          : toResponse(decision.answer)
      },
    (request: HttpRequest) => request,
  )
  // A guard that is not optional refuses a request without a credential, so the caller is set.
  return assembled as unknown as Guard<S, U, T>
}

/**
 * Creates a function that answers requests to Keystile's own endpoints, or to the metadata of
 * `protectedResource`: `await mount(keystile)(request, { remoteAddress })`. The function returns
 * `undefined` for all other requests.
 *
 * The second argument is the IP address of the sender or of the last proxy. Rate limits and the
 * audit record need it, and a `Request` does not contain it.
 */
export function mount(
  mountable: Mountable,
): (
  request: Request,
  from?: { readonly remoteAddress?: string | undefined },
) => Promise<Response | undefined> {
  acceptMountable(mountable)
  return async (request, { remoteAddress } = {}) => {
    const answer = await mountable.answer(readWebRequest(request, remoteAddress))
    return answer && toResponse(answer)
  }
}

import {
  Inject,
  Module,
  type DynamicModule,
  type InjectionToken,
  type ModuleMetadata,
  type OnModuleInit,
} from '@nestjs/common'
import { APP_GUARD, ModulesContainer } from '@nestjs/core'
import { kindOf, notAwaited, requireKnownOptions } from '../../base/options.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import { checkHandlers } from './check-handlers.ts'
import type { AnyCore } from './declared.ts'
import { createGuards, guardsToken, KeystileGuard, type Guards } from './guard.ts'

export interface ModuleSettings {
  /**
   * If true, handlers without a decorator are open. By default, each handler needs a token unless
   * it has `@Public()`.
   */
  readonly openByDefault?: boolean
}

export interface AsyncModuleOptions<
  S extends string,
  U,
  T extends TokenType = 'at+jwt',
> extends ModuleSettings {
  /** Modules whose providers `inject` names. */
  readonly imports?: ModuleMetadata['imports']
  readonly inject?: readonly InjectionToken[]
  useFactory(...injected: never[]): GuardOptions<S, U, T> | Promise<GuardOptions<S, U, T>>
}

/**
 * The guards of a Nest app. Import this module once, in the root module. Then every handler of the
 * app needs a token, and the decorators of keystile/nest can demand more.
 *
 * The app does not start if a decorator demands a scope that is not declared, if Nest would never
 * use the decorator, or if the option `context` of a `GraphQLModule` is an object. Nest runs no
 * guard before middleware, nor before lifecycle methods of a gateway, such as `handleConnection`.
 * So this module does NOT guard middleware and such methods.
 */
export class KeystileModule implements OnModuleInit {
  readonly #guards: Guards
  readonly #modules: ModulesContainer

  /**
   * Only Nest calls this constructor. An app that imports the module without `forRoot` does not
   * start.
   */
  constructor(guards: Guards, modules: ModulesContainer) {
    this.#guards = guards
    this.#modules = modules
  }

  /** Only Nest calls this. */
  onModuleInit(): void {
    checkHandlers(this.#modules, this.#guards)
  }

  /**
   * Takes the options of a guard: either the object that `createKeystile` returns, or an object
   * with a `verifier` and further options, such as `scopes` and `user`.
   *
   * @throws {TypeError} for an option that is unknown or wrong
   */
  static forRoot<
    S extends string = string,
    U extends UserObject | undefined = undefined,
    T extends TokenType = 'at+jwt',
  >(options: GuardOptions<S, U, T>, settings: ModuleSettings = {}): DynamicModule {
    if (options instanceof Promise) {
      throw new TypeError(
        `${notAwaited('KeystileModule.forRoot')}, or forRootAsync({ useFactory: () => … })`,
      )
    }
    requireKnownOptions('KeystileModule.forRoot', settings, ['openByDefault'])
    const core = createGuardCore(options)
    return moduleOf(settings, [], () => core)
  }

  /**
   * Takes a function that returns the options of a guard when the app starts. If the function
   * throws, the app does not start.
   *
   * @throws {TypeError} for an option that is unknown or undefined
   */
  static forRootAsync<
    S extends string = string,
    U extends UserObject | undefined = undefined,
    T extends TokenType = 'at+jwt',
  >(options: AsyncModuleOptions<S, U, T>): DynamicModule {
    const known = ['imports', 'inject', 'useFactory', 'openByDefault']
    requireKnownOptions('KeystileModule.forRootAsync', options, known)
    const { imports = [], inject = [] } = options
    const createCore = async (...injected: never[]): Promise<AnyCore> =>
      createGuardCore(await options.useFactory(...injected))
    return { ...moduleOf(options, inject, createCore), imports }
  }
}
// Calls instead of decorators, because Node runs no decorators in TypeScript.
Module({})(KeystileModule)
Inject(guardsToken)(KeystileModule, undefined, 0)
Inject(ModulesContainer)(KeystileModule, undefined, 1)

function moduleOf(
  { openByDefault = false }: ModuleSettings,
  inject: readonly InjectionToken[],
  createCore: (...injected: never[]) => AnyCore | Promise<AnyCore>,
): DynamicModule {
  // The string 'false', as a configuration may have it, would open all handlers.
  if (typeof openByDefault !== 'boolean') {
    throw new TypeError(`\`openByDefault\` must be true or false; it is ${kindOf(openByDefault)}`)
  }

  const create = async (...injected: never[]): Promise<Guards> => {
    const core = await createCore(...injected)
    return createGuards(core, openByDefault ? undefined : core.demand([], false))
  }
  return {
    module: KeystileModule,
    global: true,
    providers: [
      { provide: guardsToken, inject: [...inject], useFactory: create },
      // Nest calls the guard of a decorator only for the handlers of that class or method. This
      // global guard covers all other handlers.
      ...(openByDefault ? [] : [{ provide: APP_GUARD, useClass: KeystileGuard }]),
    ],
    exports: [guardsToken],
  }
}

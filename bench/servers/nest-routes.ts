// The routes of a Nest app on Fastify. Decorators are called as functions, because Node does not
// support their syntax.
import 'reflect-metadata'
import { Controller, Get, Module, UseGuards, type DynamicModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { answer, hostname, variable } from './environment.ts'

/**
 * Serves an open route, one behind a guard that does nothing, and a guarded one, in Nest on Fastify.
 * No guard runs before the open route. `prepare` registers plugins before the routes.
 */
export async function serveNest(
  guard: MethodDecorator,
  imported?: DynamicModule,
  prepare?: (app: NestFastifyApplication) => unknown,
): Promise<void> {
  class App {
    readonly name = 'app'
  }
  Module({
    imports: imported ? [imported] : [],
    controllers: [
      controllerOf(Get('open')),
      controllerOf(Get('empty'), UseGuards({ canActivate: () => true })),
      controllerOf(Get('guarded'), guard),
    ],
  })(App)
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), {
    logger: false,
  })
  await prepare?.(app)
  await app.listen(Number(variable('PORT')), hostname)
}

function controllerOf(...decorators: readonly MethodDecorator[]): new () => object {
  class Routes {
    get(): typeof answer {
      return answer
    }
  }
  Controller()(Routes)
  const descriptor = Object.getOwnPropertyDescriptor(Routes.prototype, 'get') ?? {}
  for (const one of decorators) one(Routes.prototype, 'get', descriptor)
  return Routes
}

// keystile/nest: the guards of a NestJS app, on Express and on Fastify.
export { getCaller, type CallerOf } from './frameworks/nest/admitted.ts'
export {
  AnyOf,
  Caller,
  Guard,
  OptionalCaller,
  OptionalGuard,
  Public,
  type ClassOrMethodDecorator,
} from './frameworks/nest/decorators.ts'
export {
  KeystileModule,
  type AsyncModuleOptions,
  type ModuleSettings,
} from './frameworks/nest/module.ts'
export { secureDocument } from './openapi/secure-nest.ts'

// keystile/openapi: OpenAPI documents that say what the guards of an app enforce.
export { describe, type DocumentInfo } from './openapi/describe.ts'
export type { GuardFinder } from './frameworks/routes.ts'
export {
  secure,
  type OpenApiDocument,
  type SecuredApp,
  type SecureOptions,
} from './openapi/secure.ts'

// keystile/openapi: adds the rules of an app's guards to the app's OpenAPI document.
export { describe, type DocumentInfo } from './openapi/describe.ts'
export type { GuardFinder } from './frameworks/routes.ts'
export type { SecuredApp } from './openapi/app-routes.ts'
export { secure, type OpenApiDocument, type SecureOptions } from './openapi/secure.ts'

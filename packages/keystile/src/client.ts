// keystile/client: signs users in and adds their access tokens to requests, in browsers and Node.
export type {
  MailProof,
  MailRequest,
  NewAccount,
  OwnMailProof,
  Registered,
  RegistrationProof,
} from './client/accounts.ts'
export { browserStorage } from './client/browser-storage.ts'
export { ClientError, type ClientErrorCode, type SecondFactor } from './client/client-error.ts'
export { createClient, type ApiClient, type ClientOptions } from './client/client.ts'
export type { Credentials } from './client/endpoints.ts'
export type { ClientClock } from './client/token-age.ts'
export { memoryStorage, type TokenStorage } from './client/token-storage.ts'

// keystile/client: signs users in and adds their access tokens to requests, in browsers and Node.
export type {
  InvitedAccount,
  MailProof,
  MailRequest,
  NewAccount,
  OwnMailProof,
  Registered,
  RegistrationProof,
} from './client/accounts.ts'
export { browserStorage } from './client/browser-storage.ts'
export { ClientError, type ClientErrorCode } from './client/client-error.ts'
export { createClient, type ApiClient, type ClientOptions } from './client/client.ts'
export type {
  ConfirmApp,
  Credentials,
  FactorMethod,
  FactorProof,
  LoginDemand,
  LoginResult,
  NewFactor,
  NextStep,
  ProveFactor,
  ProvePassword,
  SetUpFactor,
  StepUp,
} from './client/next-step.ts'
export type { StepUpHandler } from './client/step-ups.ts'
export type { ClientClock } from './client/token-age.ts'
export { memoryStorage, type TokenStorage } from './client/token-storage.ts'

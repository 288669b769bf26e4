// keystile/testing: an issuer, which signs tokens without a server, mailboxes, and an authenticator
// app.
export { createAuthenticatorApp, type AuthenticatorApp } from './testing/authenticator-app.ts'
export { createTestIssuer, type TestIssuer, type TestLogin } from './testing/test-issuer.ts'
export {
  createTestMailbox,
  type SentMail,
  type TestMail,
  type TestMailbox,
} from './testing/test-mailbox.ts'

// keystile/testing: an issuer, which signs tokens without a server, and mailboxes for tests.
export { createTestIssuer, type TestIssuer, type TestLogin } from './testing/test-issuer.ts'
export {
  createTestMailbox,
  type SentMail,
  type TestMail,
  type TestMailbox,
} from './testing/test-mailbox.ts'

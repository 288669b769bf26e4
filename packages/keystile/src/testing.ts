// keystile/testing: an issuer for tests, which signs tokens without a server.
export { createTestIssuer, type TestIssuer, type TestLogin } from './testing/test-issuer.ts'

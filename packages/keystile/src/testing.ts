export { createTestIssuer, type TestIssuer, type TestLogin } from './testing/test-issuer.ts'

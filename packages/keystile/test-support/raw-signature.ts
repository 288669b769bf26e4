// Signatures over any bytes, for tokens that the library itself would never issue.
export { sign } from '../src/keys/signing-key.ts'

// Signs any bytes, for tokens that the library would never issue.
export { sign } from '../src/keys/signing-key.ts'

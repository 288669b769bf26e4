// For tests that need tokens which the library would never issue, or the keys of node:crypto.
export { keyObjectOf } from '../src/keys/key-object.ts'
export { sign } from '../src/keys/signing-key.ts'

// Internal functions for tests: to sign tokens that the library would never issue, and to get the
// keys of node:crypto.
export { keyObjectOf } from '../src/keys/key-object.ts'
export { sign } from '../src/keys/signature.ts'

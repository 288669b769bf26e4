// Signs any bytes, for tokens that the library would never issue, and returns the keys of node:crypto.
export { keyObjectOf } from '../src/keys/key-object.ts'
export { sign } from '../src/keys/signing-key.ts'

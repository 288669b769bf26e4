import assert from 'node:assert/strict'
import { it } from 'node:test'
import { explainFault } from './file-fault.ts'

it('explainFault suggests a fix for each error of Node that it knows', () => {
  for (const [code, explanation] of [
    ['EACCES', /cannot be written \(EACCES\)\. Fix: let the user of the process write/],
    ['EPERM', /cannot be written \(EPERM\)\. Fix: let the user of the process write/],
    ['EROFS', /cannot be written \(EROFS\)\. Fix: let the user of the process write/],
    ['ENOTDIR', /is a file \(ENOTDIR\)\. Fix: name a file in a folder$/],
    ['EEXIST', /is a file \(EEXIST\)\. Fix: name a file in a folder$/],
    ['ENOSPC', /the disk is full \(ENOSPC\)\. Fix: free some space$/],
  ] as const)
    assert.match(explainFault('It failed', Object.assign(new Error(), { code })), explanation)
})

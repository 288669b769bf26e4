import assert from 'node:assert/strict'
import { it } from 'node:test'
import { faultsOf } from './release-check.ts'

const repository = { url: 'https://git.example/keystile' }
const library = { name: 'keystile', version: '1.2.3', repository }
const server = { name: '@keystile/server', version: '1.2.3', repository }

it('released packages share a version, are public and have a repository URL for provenance', () => {
  const needsLibrary = { ...server, dependencies: { keystile: '1.2.3', zod: '4.0.0' } }
  assert.deepEqual(faultsOf([library, needsLibrary], 'v1.2.3'), [])
  for (const [manifests, tag, fault] of [
    [[library], 'v1.2.4', /version of the tag, v1\.2\.4; it has 1\.2\.3/],
    [[library], '', /version of the tag/],
    [[{ ...library, private: true }], 'v1.2.3', /must not be private/],
    [[{ ...library, repository: {} }], 'v1.2.3', /must have a "repository"/],
    [
      [library, { ...server, dependencies: { keystile: '1.2.2' } }],
      'v1.2.3',
      /must depend on keystile of this release; it has 1\.2\.2/,
    ],
  ] as const) {
    const faults = faultsOf(manifests, tag)
    assert.equal(faults.length, 1, String(faults))
    assert.match(String(faults[0]), fault)
  }
})

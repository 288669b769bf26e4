// The authenticator app of keystile/testing beside another implementation of RFC 6238.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { it } from 'node:test'
import { createAuthenticatorApp } from 'keystile/testing'

const isInstalled = spawnSync('oathtool', ['--version']).status === 0
const skip = isInstalled ? false : 'the program oathtool is not installed'

it('createAuthenticatorApp shows the codes that oathtool computes', { skip }, () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  for (const text of ['MFRGG===', 'AAAAAAAAAAAAAAAA', secret, secret.repeat(4)]) {
    for (const seconds of [0, 29, 30, 1_700_000_000, 4_102_444_800]) {
      const at = new Date(seconds * 1000)
      const now = `--now=${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
      const args = ['--totp', '--base32', now, text]
      const { stdout, stderr } = spawnSync('oathtool', args, { encoding: 'utf8' })
      assert.equal(createAuthenticatorApp(text).code(at), stdout.trim(), stderr)
    }
  }
})

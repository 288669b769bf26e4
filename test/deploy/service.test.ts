// Checks deploy/keystile.service with systemd-analyze.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const unit = join(import.meta.dirname, '../../deploy/keystile.service')
const { error } = spawnSync('systemd-analyze', ['--version'])
const skip = error && 'systemd-analyze is not installed'
if (skip) console.error(`\n*** The systemd unit is not checked: ${skip}. ***\n`)

function analyze(...args: readonly string[]): { readonly status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

describe('the systemd unit', { skip }, () => {
  it('systemd-analyze rates the exposure of the unit at 2.0 or less', () => {
    const { status, said } = analyze('security', '--offline=true', '--threshold=20', unit)
    assert.equal(status, 0, said)
    assert.match(said, /Overall exposure level for keystile\.service: [01]\.\d/)
  })

  it('the systemd unit has only directives that systemd knows', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-unit-'))
    try {
      // The command of the unit is not installed here, and systemd would report an error.
      const text = readFileSync(unit, 'utf8').replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true')
      const copy = join(folder, 'keystile.service')
      writeFileSync(copy, text)
      assert.deepEqual(analyze('verify', copy), { status: 0, said: '' })
      writeFileSync(copy, text.replace('ProtectHome=', 'ProtectHomes='))
      assert.match(analyze('verify', copy).said, /Unknown key.*ProtectHomes/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

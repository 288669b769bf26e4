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

it('the systemd unit and the guide look for Node first where the guide installs it', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/deployment.md'), 'utf8')
  const [, folders = ''] = /^ExecSearchPath=(.*)$/m.exec(readFileSync(unit, 'utf8')) ?? []
  const [, installed = ''] = /^install .* (\S+)\/node$/m.exec(guide) ?? []
  assert.equal(folders.split(':')[0], installed)
  assert.match(readFileSync(unit, 'utf8'), /^ExecStart=node /m)
  assert.ok(guide.includes(`/usr/bin/env PATH=${folders} \\\n  node /opt/keystile/`))
})

describe('the systemd unit', { skip }, () => {
  it('systemd-analyze rates the exposure of the unit at 2.0 or less', () => {
    const { status, said } = analyze('security', '--offline=true', '--threshold=20', unit)
    assert.equal(status, 0, said)
    assert.match(said, /Overall exposure level for keystile\.service: [01]\.\d/)
  })

  it('the systemd unit has only directives that systemd knows', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-unit-'))
    try {
      const text = readFileSync(unit, 'utf8')
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

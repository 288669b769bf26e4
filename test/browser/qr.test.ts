// A person scans the QR code of a new authenticator app.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import * as OTPAuth from 'otpauth'
import { describeOnOne } from '../../packages/server/test-support/keystile.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const hasScanner = spawnSync('zbarimg', ['--version']).status === 0
const skip = skipWithoutBrowser() || (hasScanner ? false : 'zbarimg is not installed')

describeOnOne('SQLite', 'the QR code of an authenticator app', (stage) => {
  it('a scanner reads the QR code, which names the service and the user', { skip }, async (t) => {
    const { accessToken, send } = await stage.start({ secondFactor: 'optional' })
    const bearer = await accessToken('ada')
    const { json } = await send('POST', '/users/me/factors/totp', { bearer })
    const folder = mkdtempSync(join(tmpdir(), 'keystile-qr-'))
    const browser = await startBrowser()
    t.after(async () => {
      await browser.close()
      rmSync(folder, { recursive: true })
    })
    const page = await browser.newPage({ viewport: { width: 450, height: 450 } })
    await page.setContent(`<div style="width:400px">${json['qr_svg']}</div>`)
    const path = join(folder, 'qr.png')
    await page.screenshot({ path })

    assert.equal(execFileSync('zbarimg', ['-q', '--raw', path]).toString().trim(), json['uri'])
    const { issuer, label } = OTPAuth.URI.parse(json['uri'])
    assert.deepEqual([issuer, label], ['localhost', 'ada'])
  })
})

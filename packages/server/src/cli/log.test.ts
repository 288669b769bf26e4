import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openLog } from './log.ts'

describe('openLog', () => {
  it('openLog writes only the type, message, code, stack and causes of an error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-log-'))
    const logFile = join(folder, 'deep/keystile.log')
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (email)=(ada@example.com)',
    })
    const err = Object.assign(new TypeError('cannot write', { cause }), {
      parameters: ['ada@example.com'],
    })
    openLog({ logFile, logLevel: 'warn' }).error({ err }, 'failed')
    openLog({ logFile, logLevel: 'warn' }).info({}, 'not said')
    openLog({ logFile, logLevel: 'warn' }).warn({ err: 'ada@example.com' }, 'thrown')
    const [first, second, ...none] = readFileSync(logFile, 'utf8').trimEnd().split('\n')
    const { err: logged, msg } = JSON.parse(first!)
    assert.deepEqual(
      [msg, logged.type, logged.message, logged.cause.message, logged.cause.code],
      ['failed', 'TypeError', 'cannot write', 'duplicate key', '23505'],
    )
    assert.match(logged.stack, /log\.test\.ts/)
    assert.deepEqual(JSON.parse(second!).err, { type: 'string' })
    assert.deepEqual(none, [])
    assert.ok(!`${first}${second}`.includes('ada@example.com'))
    rmSync(folder, { recursive: true })
  })

  it('openLog names the setting if the file cannot be opened', () => {
    const file = import.meta.filename
    for (const [logFile, reason] of [
      [
        join(file, 'keystile.log'),
        'a part of its path is a file \\(E.*\\). Fix: name a file in a folder',
      ],
      [import.meta.dirname, 'it is a folder \\(EISDIR\\). Fix: name a file'],
      ['\0/keystile.log', '.*. Fix: name another file'],
    ] as const)
      assert.throws(() => openLog({ logFile, logLevel: 'info' }), {
        name: 'ConfigurationError',
        message: new RegExp(`\\(--log-file, KEYSTILE_LOG_FILE\\) cannot be opened: ${reason}$`),
      })
  })

  it('only the owner can read a log file and its folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-log-file-'))
    const umask = process.umask(0o000)
    try {
      openLog({ logFile: join(folder, 'logs/keystile.log'), logLevel: 'info' })
      assert.equal(statSync(join(folder, 'logs/keystile.log')).mode & 0o777, 0o600)
      assert.equal(statSync(join(folder, 'logs')).mode & 0o777, 0o700)
    } finally {
      process.umask(umask)
      rmSync(folder, { recursive: true })
    }
  })
})

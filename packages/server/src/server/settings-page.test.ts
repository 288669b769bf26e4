import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { describeDefault, fileVariableOf, flagOf, type Setting } from '../feature/setting.ts'
import { settings } from './features.ts'

const takers = { app: 'app', server: 'server', both: 'app, server' } as const

function rowOf(setting: Setting): string {
  const { name, takenBy, environment = [], help, unit } = setting
  const variables = environment.map(
    (variable) => `\`${fileVariableOf(setting, variable) ? `${variable}[_FILE]` : variable}\``,
  )
  const flag = flagOf(setting)
  const what = unit === undefined ? help : `${help} (${unit})`
  const cells = [`\`${name}\``, takers[takenBy], variables.join(', '), flag ? `\`${flag}\`` : '']
  return `| ${[...cells, describeDefault(setting) ?? '', what].join(' | ')} |`
}

describe('docs/settings.md', () => {
  it('has each setting, as its record has it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/settings.md'), 'utf8')
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.replace(/ +/g, ' '))
    assert.deepEqual(
      rows,
      settings.map((setting) => rowOf(setting).replace(/ +/g, ' ')),
    )
  })
})

// Writes the table of docs/reference/settings.md from the records of the settings.
//
//   node --conditions=source tools/settings-page.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeDefault,
  fileVariableOf,
  flagOf,
  type Setting,
} from '../packages/server/src/feature/setting.ts'
import { settings } from '../packages/server/src/server/features.ts'

const takers = { app: 'app', server: 'server', both: 'app, server' } as const

/** Returns the page with a row for each setting. Everything else in it stays. */
export function writeSettings(page: string): string {
  const lines = page.split('\n')
  const isRow = (line: string): boolean => line.startsWith('| `')
  const begin = lines.findIndex(isRow)
  return [
    ...lines.slice(0, begin),
    ...settings.map(rowOf),
    ...lines.slice(begin).filter((line) => !isRow(line)),
  ].join('\n')
}

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

if (import.meta.main) {
  const file = join(import.meta.dirname, '../docs/reference/settings.md')
  writeFileSync(file, writeSettings(readFileSync(file, 'utf8')))
}

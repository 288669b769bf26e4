// Writes results into files and into the README.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toMarkdown } from './markdown.ts'
import { toSvg } from './plot.ts'
import type { Result } from './result.ts'

const root = join(import.meta.dirname, '..')
export const resultsFolder = join(import.meta.dirname, 'results')
const readme = join(import.meta.dirname, 'README.md')
const [opening, closing] = ['<!-- results -->', '<!-- /results -->']

/** Writes a result as JSON, as a table and as a plot. */
export function writeResult(result: Result, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const path = (extension: string): string => join(folder, `${result.name}.${extension}`)
  writeFileSync(path('json'), `${JSON.stringify(result, undefined, 2)}\n`)
  writeFileSync(path('md'), `${toMarkdown(result)}\n![${result.plot.title}](${result.name}.svg)\n`)
  writeFileSync(path('svg'), toSvg(result.plot))
}

/**
 * Writes the stored results of these scenarios into the README, in this order. Then formats the
 * README and the files of the results.
 */
export function updateReadme(names: readonly string[]): void {
  const sections = names
    .map((name) => join(resultsFolder, `${name}.json`))
    .filter((file) => existsSync(file))
    .map((file) => {
      const result = JSON.parse(readFileSync(file, 'utf8')) as Result
      return `${toMarkdown(result, 3)}\n![${result.plot.title}](results/${result.name}.svg)\n`
    })
  const [before, after] = split(readFileSync(readme, 'utf8'))
  writeFileSync(readme, `${before}${opening}\n\n${sections.join('\n')}\n${closing}${after}`)
  spawnSync(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), readme, resultsFolder], {
    cwd: root,
  })
}

function split(text: string): readonly [string, string] {
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)]
  if (start < 0 || end < start)
    throw new Error(`${readme} must have a place for results: ${opening} … ${closing}`)
  return [text.slice(0, start), text.slice(end + closing.length)]
}

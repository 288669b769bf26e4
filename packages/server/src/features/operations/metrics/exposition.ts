// The text format in which Prometheus reads metrics.

import type { Labels } from '../../../feature/metric.ts'
import type { Family } from './families.ts'

// decisions/0010-metrics-by-hand.md
/**
 * Formats metric families as text.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function formatFamilies(families: readonly Family[]): string {
  return families.map(formatFamily).join('')
}

function formatFamily({ name, type, help, samples }: Family): string {
  const lines = samples().map(
    ({ suffix = '', labels, value }) => `${name}${suffix}${formatLabels(labels)} ${value}\n`,
  )
  const helpLine = `# HELP ${name} ${help.replace(/[\\\n]/g, escape)}\n`
  return `${helpLine}# TYPE ${name} ${type}\n${lines.join('')}`
}

function formatLabels(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escape)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escape(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}

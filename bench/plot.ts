import { short } from './markdown.ts'
import type { Plot, PlotGroup } from './result.ts'

const width = 760
const labelWidth = 300
const barHeight = 16
const rowHeight = 24
const groupHeight = 34
const topHeight = 40
const valueWidth = 150

/**
 * Draws a bar for each value, from zero to the median, and a line for its spread. The colours are
 * readable on white and on black.
 */
export function toSvg({ title, unit, groups }: Plot): string {
  const largest = Math.max(
    ...groups.flatMap(({ items }) => items.map(({ value }) => value.highest)),
  )
  const scale = (width - labelWidth - valueWidth) / largest
  let y = topHeight
  const drawn = groups.map((group) => {
    const svg = drawGroup(group, y, scale)
    y += groupHeight + group.items.length * rowHeight
    return svg
  })
  const frame = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 16}"`
  const font = 'font-family="system-ui, sans-serif" font-size="13"'
  const subtitle = `<tspan class="unit" font-size="13" font-weight="400">${escape(unit)}</tspan>`
  return `<svg ${frame} ${font} role="img">
<title>${escape(title)}</title>
<style>
  text { fill: #24292f }
  .unit, .value { fill: #57606a }
  .ours { fill: #1a7f5a }
  .theirs { fill: #8c959f }
  .spread { stroke: #24292f; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .unit, .value { fill: #9da7b1 }
    .ours { fill: #3fb98a }
    .theirs { fill: #6e7781 }
    .spread { stroke: #e6edf3 }
  }
</style>
<text x="8" y="24" font-size="16" font-weight="600">${escape(title)} ${subtitle}</text>
${drawn.join('\n')}
</svg>
`
}

function drawGroup({ name, items }: PlotGroup, top: number, scale: number): string {
  const heading = `<text x="8" y="${top + 24}" font-weight="600">${escape(name)}</text>`
  const rows = items.map(({ name, value, isOurs }, index) => {
    const y = top + groupHeight + index * rowHeight
    const middle = y + barHeight / 2
    const at = (amount: number): string => (labelWidth + Math.max(0, amount) * scale).toFixed(1)
    const length = (Math.max(0, value.median) * scale).toFixed(1)
    const textX = (labelWidth + Math.max(0, value.highest) * scale + 8).toFixed(1)
    return [
      `<text x="${labelWidth - 8}" y="${y + 12.5}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${labelWidth}" y="${y}" ` +
        `width="${length}" height="${barHeight}" rx="2"/>`,
      `<line class="spread" x1="${at(value.lowest)}" x2="${at(value.highest)}" ` +
        `y1="${middle}" y2="${middle}"/>`,
      `<text class="value" x="${textX}" y="${y + 12.5}">${short(value.median)}</text>`,
    ].join('\n')
  })
  return [heading, ...rows].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

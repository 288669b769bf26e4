// What is wrong with a page in a browser: for axe, and on a phone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

/** The parts of the DOM that functions in the page use. Node's types have none. */
interface Element {
  readonly id: string
  readonly classList: { contains(name: string): boolean }
  getBoundingClientRect(): { readonly height: number; readonly width: number }
}
declare const document: {
  readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number }
  readonly styleSheets: Iterable<{ insertRule(rule: string): void }>
  querySelectorAll(selector: string): Iterable<Element>
}
declare function getComputedStyle(element: Element): Readonly<Record<'fontSize', string>>
declare const axe: { run(options: RunOptions): Promise<AxeResults> }
const axeSource = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** Returns what axe finds on a page, in light and in dark. */
export async function axeFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource)
  // axe computes no contrast on a gradient, nor beside a pseudo-element. All colours of the app on
  // which text stands are in accent.test.ts.
  await page.evaluate(() => {
    const [sheet] = document.styleSheets
    sheet?.insertRule('.brand { background-image: none !important }')
    sheet?.insertRule('.steps > li::before { content: none !important }')
  })
  const faults: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const found = await page.evaluate(
      (isDark) => axe.run(isDark ? { runOnly: ['color-contrast', 'link-in-text-block'] } : {}),
      colorScheme === 'dark',
    )
    assert.ok(found.passes.length > 0)
    faults.push(...describeFound(found).map((fault) => `${colorScheme}: ${fault}`))
  }
  return faults
}

/** Returns the faults that axe is sure of, and the contrasts that it could not compute. */
function describeFound({ violations, incomplete }: AxeResults): readonly string[] {
  return [...violations, ...incomplete].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}

/** Returns what a phone of 320 pixels shows badly: overflow, small targets, small text. */
export function layoutFaults(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const faults: string[] = []
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth} pixels wide`)
    const inputs = 'input:not([type=hidden], [type=checkbox], .unseen)'
    for (const element of document.querySelectorAll(`button, ${inputs}`)) {
      const { height, width } = element.getBoundingClientRect()
      const isSlim = element.classList.contains('slim')
      if (height < 44 || width < (isSlim ? 44 : 200))
        faults.push(`${element.id} is ${width} × ${height} pixels`)
      // Safari zooms in on fields with smaller text.
      if (!isSlim && parseFloat(getComputedStyle(element).fontSize) < 16)
        faults.push(`${element.id}: small text`)
    }
    return faults
  })
}

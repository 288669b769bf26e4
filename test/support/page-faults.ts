// What is wrong with a page in a browser: for axe, and on a phone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

/** The parts of the DOM that functions in the page use. Node's types have none. */
interface Element {
  readonly id: string
  readonly outerHTML: string
  matches(selectors: string): boolean
  getBoundingClientRect(): { readonly height: number; readonly width: number }
}
declare const document: {
  readonly body: Element
  readonly activeElement: Element
  readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number }
  readonly styleSheets: Iterable<{ insertRule(rule: string): void }>
  querySelectorAll(selector: string): Iterable<Element>
}
declare function getComputedStyle(
  element: Element,
): Readonly<Record<'fontSize' | 'outlineStyle' | 'outlineWidth', string>>
declare function requestAnimationFrame(run: () => void): void
declare class PerformanceObserver {
  constructor(run: () => void)
  observe(options: { readonly type: string; readonly buffered: true }): void
  takeRecords(): readonly { readonly value?: number }[]
}
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
      const isSlim = element.matches('.slim, .links > button, .end > button')
      if (height < 44 || width < (isSlim ? 44 : 200))
        faults.push(`${element.id} is ${width} × ${height} pixels`)
      // Safari zooms in on fields with smaller text.
      if (!isSlim && parseFloat(getComputedStyle(element).fontSize) < 16)
        faults.push(`${element.id}: small text`)
    }
    return faults
  })
}

/** Returns how much the elements of a page have moved since it was opened. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const observer = new PerformanceObserver(() => {})
    observer.observe({ type: 'layout-shift', buffered: true })
    for (const _frame of [1, 2])
      await new Promise<void>((resolve) => requestAnimationFrame(resolve))
    return observer.takeRecords().reduce((sum, { value = 0 }) => sum + value, 0)
  })
}

/**
 * Goes through a page with the key Tab. Returns the elements that it does not reach, or whose focus
 * is not visible. A trap keeps Tab from
 * the elements after it.
 */
export async function keyboardFaults(page: Page): Promise<readonly string[]> {
  const faults: string[] = []
  const reachable = 'a[href], button, input:not([type=hidden], [tabindex="-1"]), select, summary'
  // A link to an app on this device is shown only on a device with a touch screen.
  const count = await page.locator(reachable).filter({ visible: true }).count()
  const reached = new Set<string>()
  // A field with a fault has the focus at first, so the elements before it come in a second round.
  for (let steps = 0; steps < 2 * count + 2 && reached.size < count; steps++) {
    await page.keyboard.press('Tab')
    const { html, isBody, isVisible } = await page.evaluate(() => {
      const { body, activeElement: element } = document
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const isVisible = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
      return { html: element.outerHTML, isBody: element === body, isVisible }
    })
    if (isBody) continue
    reached.add(html)
    if (!isVisible) faults.push(`the focus is not visible: ${html}`)
  }
  if (reached.size < count) faults.push(`Tab reaches ${reached.size} of ${count} elements`)
  return faults
}

// Pictures of pages in docs/pictures, each with the text of the page in a file beside it.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { root } from './blocks.ts'

/** Whether the tests store pictures and texts, instead of comparing the texts. */
export const takes = Boolean(process.env['KEYSTILE_TAKE_PICTURES'])

export interface Picture {
  /** The name of the files, without `.png`. */
  readonly name: string
  /** The text that the page shows. What differs from run to run must be replaced. */
  readonly text: string
  /** Takes the pictures. */
  take(path: string): Promise<void>
}

/** Compares the text of a page with the stored text, or stores both the text and the picture. */
export async function comparePicture({ name, text, take }: Picture): Promise<void> {
  const path = join(root, 'docs/pictures', name)
  const lines = text.replaceAll(/\s*\n\s*/g, '\n')
  if (takes) {
    writeFileSync(`${path}.txt`, lines)
    await take(path)
  }
  assert.equal(lines, readFileSync(`${path}.txt`, 'utf8'), `${name}.png is old: take it again`)
}

export const textOf = (page: Page): Promise<string> => page.locator('body').innerText()

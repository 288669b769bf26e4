// The files of the app: its logo and its stylesheet. They are read and checked at the start.
import { readFileSync, statSync } from 'node:fs'
import { show } from '../../../feature/shown-value.ts'

/** Small, because each mail contains a PNG logo. */
const maxLogoBytes = 65_536
/** Small, because each page contains the stylesheet. */
const maxCssBytes = 32_768

/** The first eight bytes of each PNG file (PNG specification §5.2). */
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** What an SVG file may have before its root element. */
const beforeSvgRoot = new RegExp(
  [
    /^\uFEFF/, // a byte order mark
    /<\?[^]*?\?>/, // a declaration, such as <?xml version="1.0"?>
    /<!--[^]*?-->/, // a comment
    /<![^>]*>/, // a document type, such as <!DOCTYPE svg>
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

export interface LogoFile {
  readonly kind: 'svg' | 'png'
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** @throws {TypeError} with a sentence without a subject, such as "must be a file" */
export function readLogo(path: string): LogoFile {
  const bytes = readFile(path, maxLogoBytes)
  const kind = formatOf(bytes)
  if (!kind) throw new TypeError(`must be an SVG or PNG file; ${show(path)} is neither`)
  return { kind, bytes }
}

/**
 * Reads the stylesheet of the app. The Content-Security-Policy of the pages lets no rule load
 * anything. So the start refuses such rules, which would do nothing. A stylesheet could also end
 * the element in which it stands.
 *
 * @throws {TypeError} with a sentence without a subject, such as "must be a file"
 */
export function readCss(path: string): string {
  const css = Buffer.from(readFile(path, maxCssBytes)).toString('utf8')
  const [loading] = /@import|\b(?:url|src|image-set)\(/i.exec(css) ?? []
  if (loading !== undefined)
    throw new TypeError(`must not load anything, but ${show(path)} has ${loading}`)
  if (css.includes('</')) throw new TypeError(`must not contain </, but ${show(path)} does`)
  return css
}

/** Returns the format of a logo by what the file contains, and not by its name. */
function formatOf(bytes: Buffer): LogoFile['kind'] | undefined {
  if (bytes.subarray(0, pngSignature.length).equals(pngSignature)) return 'png'

  const text = bytes.toString('utf8').replaceAll(beforeSvgRoot, '')
  return /^\s*<svg[\s>]/.test(text) ? 'svg' : undefined
}

function readFile(path: string, maxBytes: number): Buffer<ArrayBuffer> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw new TypeError(
      `must be the path of a file; ${show(path)} does not exist. ` +
        'Fix: create the file, or correct the path',
    )
  if (!found.isFile())
    throw new TypeError(`must be the path of a file; ${show(path)} is not a file`)
  const { size } = found
  if (size > maxBytes)
    throw new TypeError(`must have at most ${maxBytes} bytes; ${show(path)} has ${size}`)

  try {
    return Buffer.from(readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new TypeError(`must be a file that Keystile can read; ${show(path)} gives ${code}`)
  }
}

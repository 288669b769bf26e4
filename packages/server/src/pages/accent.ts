// The colours that are derived from `appColor`, so that texts and borders are readable with every
// colour: texts have a contrast of 4.5:1, borders 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).

type Rgb = readonly [red: number, green: number, blue: number]

/** The colours of one scheme, as `#rrggbb`. In the stylesheet, their names are in kebab case. */
export interface Accent {
  /** The primary button, the button under the pointer, and the text of both. */
  readonly accent: string
  readonly accentHover: string
  readonly onAccent: string
  /** Links and the mark of the focus. */
  readonly accentText: string
  readonly accentEdge: string
  /** The ground of notes. */
  readonly accentSoft: string
  /** The page below the sheet. */
  readonly ground: string
  /** The field at the top of the page, its arcs, and its text. */
  readonly field: string
  readonly field2: string
  readonly onField: string
}

export interface Accents {
  readonly light: Accent
  readonly dark: Accent
}

const black: Rgb = [0, 0, 0]
const white: Rgb = [255, 255, 255]

/** The contrast that a text needs (WCAG 2.2, 1.4.3). */
const minTextRatio = 4.5

// Derived texts and borders get a little more contrast than they need, because `mix` rounds.
const textRatio = 4.8
const edgeRatio = 3.1

/** The contrast of white with the field in dark mode: there, a bright field would dazzle. */
const darkFieldRatio = 12

/** How much lighter or darker the button under the pointer is, and the arcs of the field. */
const hoverStep = 0.14
const arcStep = 0.12

/** What differs between the schemes. A tint is the share of the app's colour in another colour. */
interface Scheme {
  /** The sheet, and the page around it before it gets its tint. As in pages.css. */
  readonly sheet: Rgb
  readonly plainGround: Rgb
  readonly groundTint: number
  readonly softTint: number
  /** Towards this end, a colour gets more contrast with the sheet. */
  readonly end: Rgb
}

const lightScheme: Scheme = {
  sheet: white,
  plainGround: parseColor('#f5f5f7'),
  groundTint: 0.035,
  softTint: 0.08,
  end: black,
}

const darkScheme: Scheme = {
  sheet: parseColor('#1b1b20'),
  plainGround: parseColor('#111114'),
  groundTint: 0.04,
  softTint: 0.16,
  end: white,
}

/** Derives the colours of both schemes from a colour such as `#7a1fa2`. */
export function accentsOf(appColor: string): Accents {
  const app = parseColor(appColor)
  const [light, dark] = [derive(app, lightScheme), derive(app, darkScheme)]
  return {
    light: write({ ...light, fill: app, field: app }),
    dark: write({ ...dark, fill: dark.edge, field: reach(app, black, darkFieldRatio, [white]) }),
  }
}

/** Writes the colours as the first rules of the stylesheet. */
export function accentStyle({ light, dark }: Accents): string {
  return `:root{${rulesOf(light)}}@media (prefers-color-scheme:dark){:root{${rulesOf(dark)}}}`
}

/** Returns the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrastOf(one: string, other: string): number {
  return contrast(parseColor(one), parseColor(other))
}

interface Derived {
  readonly ground: Rgb
  readonly soft: Rgb
  readonly text: Rgb
  readonly edge: Rgb
}

function derive(app: Rgb, { sheet, plainGround, groundTint, softTint, end }: Scheme): Derived {
  const ground = mix(plainGround, app, groundTint)
  const soft = mix(sheet, app, softTint)
  const text = reach(app, end, textRatio, [sheet, ground, soft])
  const edge = reach(app, end, edgeRatio, [sheet, ground])
  return { ground, soft, text, edge }
}

function write({
  fill,
  field,
  text,
  edge,
  soft,
  ground,
}: Derived & { readonly fill: Rgb; readonly field: Rgb }): Accent {
  return {
    accent: hexOf(fill),
    accentHover: hexOf(step(fill, hoverStep)),
    onAccent: hexOf(textOn(fill)),
    accentText: hexOf(text),
    accentEdge: hexOf(edge),
    accentSoft: hexOf(soft),
    ground: hexOf(ground),
    field: hexOf(field),
    field2: hexOf(step(field, arcStep)),
    onField: hexOf(textOn(field)),
  }
}

/** Moves a colour towards an end until it has the contrast on each of the grounds. */
function reach(color: Rgb, end: Rgb, ratio: number, grounds: readonly Rgb[]): Rgb {
  for (let share = 0; share < 1; share += 0.02) {
    const moved = mix(color, end, share)
    if (grounds.every((ground) => contrast(moved, ground) >= ratio)) return moved
  }
  return end
}

/** Returns white if it is readable on a colour, otherwise black. One of them always is. */
function textOn(fill: Rgb): Rgb {
  return contrast(fill, white) >= minTextRatio ? white : black
}

/**
 * Returns a lighter colour. Returns a darker one if the colour is nearly white, or if its text
 * would lose the contrast.
 */
function step(fill: Rgb, share: number): Rgb {
  const isNearlyWhite = luminance(fill) > 0.8
  const [first, second] = isNearlyWhite ? [black, white] : [white, black]
  const moved = mix(fill, first, share)
  return contrast(moved, textOn(fill)) >= minTextRatio ? moved : mix(fill, second, share)
}

function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** Returns the relative luminance of a colour (WCAG 2.2). */
function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/** Returns the linear value of one part of an sRGB colour. */
function linear(part: number): number {
  const value = part / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** @param share how much of the other colour is in the result, from 0 to 1 */
function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const part = (at: 0 | 1 | 2): number => Math.round(one[at] + (other[at] - one[at]) * share)
  return [part(0), part(1), part(2)]
}

function parseColor(hex: string): Rgb {
  const part = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16)
  return [part(1), part(3), part(5)]
}

function hexOf(color: Rgb): string {
  return `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

/** Writes `accentHover` as the custom property `--accent-hover`, and `field2` as `--field-2`. */
function rulesOf(accent: Accent): string {
  return Object.entries(accent)
    .map(
      ([name, value]) =>
        `--${name.replaceAll(/[A-Z2]/g, (one) => `-${one.toLowerCase()}`)}:${value}`,
    )
    .join(';')
}

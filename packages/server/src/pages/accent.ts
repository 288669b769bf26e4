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

const [black, white]: readonly [Rgb, Rgb] = [parseColor('#000000'), parseColor('#ffffff')]
/** The sheet and the page around it, before the ground gets a tint. As in pages.css. */
const surfaces = {
  light: { sheet: white, ground: parseColor('#f5f5f7') },
  dark: { sheet: parseColor('#1b1b20'), ground: parseColor('#111114') },
}

// Text and borders get a little more contrast than they need, because `mix` rounds.
const textRatio = 4.8
const edgeRatio = 3.1

/** Derives the colours of both schemes from a colour such as `#7a1fa2`. */
export function accentsOf(appColor: string): Accents {
  const app = parseColor(appColor)
  return { light: lightAccent(app), dark: darkAccent(app) }
}

/** Writes the colours as the first rules of the stylesheet. */
export function accentStyle({ light, dark }: Accents): string {
  return `:root{${rulesOf(light)}}@media (prefers-color-scheme:dark){:root{${rulesOf(dark)}}}`
}

/** Returns the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrastOf(one: string, other: string): number {
  return contrast(parseColor(one), parseColor(other))
}

function lightAccent(app: Rgb): Accent {
  const { sheet, ground: plain } = surfaces.light
  const ground = mix(plain, app, 0.035)
  const soft = mix(sheet, app, 0.08)
  const text = reach(app, black, textRatio, [sheet, ground, soft])
  const edge = reach(app, black, edgeRatio, [sheet, ground])
  return write({ fill: app, field: app, text, edge, soft, ground })
}

function darkAccent(app: Rgb): Accent {
  const { sheet, ground: plain } = surfaces.dark
  const ground = mix(plain, app, 0.04)
  const soft = mix(sheet, app, 0.16)
  const text = reach(app, white, textRatio, [sheet, ground, soft])
  const edge = reach(app, white, edgeRatio, [sheet, ground])
  const field = reach(app, black, 12, [white])
  return write({ fill: edge, field, text, edge, soft, ground })
}

interface Derived {
  readonly fill: Rgb
  readonly field: Rgb
  readonly text: Rgb
  readonly edge: Rgb
  readonly soft: Rgb
  readonly ground: Rgb
}

function write({ fill, field, text, edge, soft, ground }: Derived): Accent {
  return {
    accent: hexOf(fill),
    accentHover: hexOf(step(fill, 0.14)),
    onAccent: hexOf(textOn(fill)),
    accentText: hexOf(text),
    accentEdge: hexOf(edge),
    accentSoft: hexOf(soft),
    ground: hexOf(ground),
    field: hexOf(field),
    field2: hexOf(step(field, 0.12)),
    onField: hexOf(textOn(field)),
  }
}

/** Moves a colour towards black or white until it has the contrast on each of the grounds. */
function reach(color: Rgb, end: Rgb, ratio: number, grounds: readonly Rgb[]): Rgb {
  for (let share = 0; share < 1; share += 0.02) {
    const moved = mix(color, end, share)
    if (grounds.every((ground) => contrast(moved, ground) >= ratio)) return moved
  }
  return end
}

/** Returns white if it is readable on a colour, otherwise black. One of them always is. */
function textOn(fill: Rgb): Rgb {
  return contrast(fill, white) >= 4.5 ? white : black
}

/** Returns a lighter colour, or a darker one where the text would lose its contrast. */
function step(fill: Rgb, share: number): Rgb {
  const [first, second] = luminance(fill) > 0.8 ? [black, white] : [white, black]
  const moved = mix(fill, first, share)
  return contrast(moved, textOn(fill)) >= 4.5 ? moved : mix(fill, second, share)
}

function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** Returns the relative luminance of a colour (WCAG 2.2). */
function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

function linear(part: number): number {
  const value = part / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

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

function rulesOf(accent: Accent): string {
  return Object.entries(accent)
    .map(
      ([name, value]) =>
        `--${name.replaceAll(/[A-Z2]/g, (one) => `-${one.toLowerCase()}`)}:${value}`,
    )
    .join(';')
}

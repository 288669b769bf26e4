// The parts of pages. Each is a function that returns HTML for the classes of pages.css; `field.ts`
// has the fields of forms. `markup` escapes the strings.
import { joined, markup, type Html } from './html.ts'
import { iconOf, type Icon } from './icons.ts'

/** A sentence, or HTML with one. */
export type Words = Html | string

/** What a colour says: that it is done, that care is needed, or that something is wrong. */
export type Tone = 'done' | 'care' | 'wrong'

const toneIcons = { done: 'check', care: 'warning', wrong: 'warning' } as const

export interface Emblem {
  readonly icon: Icon
  readonly tone?: Tone | undefined
}

/** Draws the sign above the heading of a page without a form. */
export function emblemOf({ icon, tone }: Emblem): Html {
  return markup`<span class="emblem${tone && ` ${tone}`}">${iconOf(icon)}</span>`
}

export interface Button {
  readonly label: Words
  /** Where the button leads. Without it, the button sends its form. */
  readonly href?: string | undefined
  /** `second` is one of several ways; `danger` cannot be undone. Default: the one main button. */
  readonly kind?: 'second' | 'danger' | undefined
  /** Whether the button is in a row. */
  readonly isSlim?: boolean
  /** What only screen readers say after the label, such as ` Safari on macOS`. */
  readonly of?: string
}

export function buttonOf({ label, href, kind, isSlim, of }: Button): Html {
  const classes = ['button', ...(kind ? [kind] : []), ...(isSlim ? ['slim'] : [])].join(' ')
  const words = markup`${label}${of && unseen(of)}`
  if (href !== undefined) return markup`<a class="${classes}" href="${href}">${words}</a>`
  return markup`<button class="${classes}">${words}</button>`
}

/** Writes buttons side by side. The main one comes first. */
export function actionsOf(...buttons: readonly Button[]): Html {
  return markup`<div class="actions">
${lines(buttons.map(buttonOf))}</div>`
}

export interface Link {
  readonly label: string
  readonly href: string
  /** Whether the link opens a window of its own, so that a form keeps what was typed. */
  readonly isApart?: boolean
}

/** Writes what else is possible. Writes nothing if nothing is. */
export function linksOf(...links: readonly Link[]): Html | undefined {
  if (links.length === 0) return undefined
  return markup`<div class="links">${joined(links.map(linkOf))}</div>`
}

/** A part of a sentence in brackets, such as `[terms]`. */
export const linkedPart: RegExp = /\[(.*?)\]/

/** Writes a sentence whose parts in brackets are links, in this order. */
export function linkedOf(sentence: string, ...links: readonly Omit<Link, 'label'>[]): Html {
  const parts = sentence.split(linkedPart)
  return joined(
    parts.map((part, index) => {
      const link = links[(index - 1) / 2]
      return link ? linkOf({ ...link, label: part }) : markup`${part}`
    }),
  )
}

/**
 * Writes a message. With the tone `done` it is the result of what the person did, so that screen
 * readers say it at once.
 */
export function noteOf(text: Words, { tone, icon }: Partial<Emblem> = {}): Html {
  const shown = icon ?? (tone ? toneIcons[tone] : 'sheet')
  const role = tone === 'done' ? markup` role="status"` : undefined
  const sign = iconOf(shown)
  return markup`<p class="note${tone && ` ${tone}`}"${role}>${sign} <span>${text}</span></p>`
}

/** Writes the fault of a whole form. Screen readers say it at once. */
export function faultOf(text: Words): Html {
  return markup`<p class="note wrong" role="alert">${iconOf('warning')} <span>${text}</span></p>`
}

/** Writes whose account it is: `before` is for screen readers, such as `Account: `. */
export function whoOf(account: string, before: string, link?: Link): Html {
  const [letter = ''] = account
  return markup`<div class="who">
<span class="face" aria-hidden="true">${letter.toUpperCase()}</span>
<span>${unseen(before)}${breakable(account)}</span>
${link && linkOf(link)}
</div>`
}

/** Lets a long address break after `@` or a dot, not within a word or before its end `com`. */
export function breakable(address: string): Html {
  const parts = address.split(/(?<=@)(?!$)|(?<=\.)(?=.*[@.])/).map((part) => markup`${part}`)
  return parts.reduce((before, part) => markup`${before}<wbr>${part}`)
}

export interface Row {
  readonly icon?: Icon | undefined
  readonly title: Words
  readonly hint?: Words | undefined
  /** A button, or a form with one. Its label ends with `of`, the name of the row. */
  readonly action?: Html | undefined
}

export function rowsOf(rows: readonly Row[]): Html {
  return markup`<ul class="rows">
${lines(rows.map(rowOf))}</ul>`
}

function rowOf({ icon, title, hint, action }: Row): Html {
  return markup`<li>${icon && iconOf(icon)}
<div><h3>${title}</h3>${hint && markup`<p class="hint">${hint}</p>`}</div>
${action}</li>`
}

/** Writes a short mark beside the title of a row, such as "On". */
export function tagOf(label: string, tone?: Tone): Html {
  return markup` <span class="tag${tone && ` ${tone}`}">${label}</span>`
}

export interface Part {
  /** The id of the part, to which links lead: `#devices`. */
  readonly id: string
  readonly title: string
  readonly hint?: Words | undefined
  readonly content: Html
}

/** Writes a part of a wide page. */
export function partOf({ id, title, hint, content }: Part): Html {
  return markup`<section class="part" id="${id}" aria-labelledby="${id}-title">
<header><h2 id="${id}-title">${title}</h2>${hint && markup`<p class="hint">${hint}</p>`}</header>
<div>
${content}
</div>
</section>
`
}

/** Writes the links to the parts of a long page. */
export function jumpOf(label: string, links: readonly Link[]): Html {
  return markup`<nav aria-label="${label}">
<ul class="jump">${joined(links.map((link) => markup`<li>${linkOf(link)}</li>`))}</ul>
</nav>`
}

export interface Step {
  readonly title: string
  readonly content: Html
}

/** Writes what to do, one after the other. */
export function stepsOf(steps: readonly Step[]): Html {
  const items = steps.map(({ title, content }) => markup`<li><h2>${title}</h2>\n${content}</li>`)
  return markup`<ol class="steps">
${lines(items)}</ol>`
}

/**
 * Writes a secret that a person copies. A click selects all of it. What is copied has no spaces and
 * no line breaks, because some apps refuse them.
 */
export function secretOf(secret: string): Html {
  const groups = secret.match(/.{1,4}/gu) ?? []
  const spans = groups.map((group) => markup`<span>${group}</span><wbr>`)
  return markup`<p class="secret" dir="ltr">${joined(spans)}</p>`
}

/** Writes the recovery codes. A click selects all of them. */
export function codesOf(codes: readonly string[]): Html {
  return markup`<ol class="codes" dir="ltr">
${lines(codes.map((code) => markup`<li>${code}</li>`))}</ol>`
}

/** Writes what will happen. A check mark would say that it has happened. */
export function pointsOf(...points: readonly (readonly [Exclude<Icon, 'check'>, Words])[]): Html {
  const items = points.map(([icon, text]) => markup`<li>${iconOf(icon)} <span>${text}</span></li>`)
  return markup`<ul class="points">
${lines(items)}</ul>`
}

/** Writes what opens on a click. */
export function detailsOf(summary: string, content: Words): Html {
  return markup`<details>
<summary>${summary}</summary>
${content}
</details>`
}

/** Writes text that only screen readers say. */
function unseen(text: string): Html {
  return markup`<span class="unseen">${text}</span>`
}

function linkOf({ label, href, isApart }: Link): Html {
  const target = isApart ? markup` target="_blank"` : undefined
  return markup`<a href="${href}"${target}>${label}</a>`
}

function lines(items: readonly Html[]): Html {
  return joined(items.map((item) => markup`${item}\n`))
}

// The look of the mails: one narrow table, because mail programs understand little else. The styles
// stand at the elements; the element `style` has only what they cannot say, for dark screens.
import type { Accent, Accents } from '../../../pages/accent.ts'
import type { Brand } from '../../../pages/brand.ts'
import { Html, joined, markup } from '../../../pages/html.ts'
import type { MailText, Paragraph } from './mail-text-types.ts'
import type { MailAttachment, MailContent, MailMessage } from './message.ts'

export interface MailVersion {
  readonly language: string
  readonly mail: MailText
  /** What the button says that opens the link. */
  readonly button: string
  /** The sentence before the address of the link, at the end of the mail. */
  readonly otherwise: string
}

/** Lays out a mail in one or more languages, one after the other, as text and as HTML. */
export function layOut(
  versions: readonly MailVersion[],
  brand: Brand,
): MailContent & Pick<MailMessage, 'attachments'> {
  const subject = versions.map(({ mail: [title] }) => title).join(' / ')
  const plain = versions.map(({ mail: [, ...paragraphs] }) => paragraphs.map(textOf).join('\n\n'))
  const html = draw(versions, subject, brand)
  const logo = logoOf(brand)
  return {
    subject,
    text: `${plain.join('\n\n---\n\n')}\n`,
    html: html.text,
    ...(logo && { attachments: [logo] }),
  }
}

const fonts = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const [ink, soft, line] = ['#1a1a20', '#595965', '#e2e2e8']
/** The attributes of a table that is only there for the layout. */
const table = markup`role="presentation" cellpadding="0" cellspacing="0" border="0"`

/** The elements with other colours on dark screens, and these colours. */
const darkRules = {
  ground: ({ ground }) => [`background:${ground}`],
  sheet: () => ['background:#1b1b20'],
  ink: () => ['color:#ececf0'],
  soft: () => ['color:#a9a9b5'],
  field: ({ field, onField }) => [`background:${field}`, `color:${onField}`],
  act: ({ accent, accentEdge }) => [`background:${accent}`, `border-color:${accentEdge}`],
  on: ({ onAccent }) => [`color:${onAccent}`],
  link: ({ accentText }) => [`color:${accentText}`],
  box: ({ accentSoft }) => [`background:${accentSoft}`],
} satisfies Record<string, (dark: Accent) => readonly string[]>

/** Returns the attribute of an element that takes the colours of these rules on dark screens. */
function inDark(...rules: readonly (keyof typeof darkRules)[]): Html {
  return markup`class="${rules.join(' ')}"`
}

/** Writes the dark rules. They must win against the styles at the elements. */
function darkStyle({ dark }: Accents): string {
  const written = Object.entries(darkRules).map(([name, colors]) => {
    const rules = colors(dark).map((rule) => `${rule}!important`)
    return `.${name}{${rules.join(';')}}`
  })
  return `:root{color-scheme:light dark}@media (prefers-color-scheme:dark){${written.join('')}}`
}

/** Draws the frame of a mail around its header and its versions. */
function draw(versions: readonly MailVersion[], subject: string, brand: Brand): Html {
  const { accents } = brand
  const { ground } = accents.light
  return markup`<!doctype html>
<html lang="${versions[0]?.language ?? 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${new Html(darkStyle(accents))}</style>
</head>
<body ${inDark('ground')} style="margin:0;padding:0;background:${ground}">
<table ${inDark('ground')} ${table} width="100%" bgcolor="${ground}" style="background:${ground}">
<tr><td align="center" style="padding:24px 12px">
<table ${table} width="100%" style="max-width:520px;width:100%">
${headerOf(brand)}
<tr><td ${inDark('sheet', 'ink')} bgcolor="#ffffff" style="padding:32px;background:#ffffff;
border-radius:0 0 16px 16px;font:16px/24px ${fonts};color:${ink};text-align:left">
${contentOf(versions, accents)}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`
}

/** Draws the row with the logo and the name of the app. */
function headerOf({ name, logo, accents }: Brand): Html {
  const { field, onField } = accents.light
  const image =
    logo?.png &&
    markup`<img src="cid:${logoId}" alt="" width="32" height="32"
style="vertical-align:middle;margin-right:12px;padding:4px;background:#ffffff;border-radius:8px">`
  return markup`<tr><td ${inDark('field')} bgcolor="${field}" style="padding:20px 32px;
background:${field};border-radius:16px 16px 0 0;font:bold 18px/24px ${fonts};
color:${onField}">${image}${name}</td></tr>`
}

/** Draws the versions one below the other. Only those after the first have a line above them. */
function contentOf(versions: readonly MailVersion[], accents: Accents): Html {
  const parts = versions.map((version, index) =>
    index === 0
      ? bodyOf(version, accents)
      : markup`<hr style="margin:32px 0;border:0;border-top:1px solid ${line}">
<div lang="${version.language}">
${bodyOf(version, accents)}
</div>`,
  )
  return joined(parts)
}

function bodyOf(
  { mail: [title, ...paragraphs], button, otherwise }: MailVersion,
  { light }: Accents,
): Html {
  const lastAction = paragraphs.findLastIndex((paragraph) => typeof paragraph !== 'string')
  const parts = paragraphs.map((paragraph, index) =>
    typeof paragraph === 'string'
      ? sentenceOf(paragraph, index > lastAction && lastAction >= 0)
      : actionOf(paragraph, button, light),
  )
  const link = paragraphs.find((one) => typeof one !== 'string' && 'link' in one)
  return markup`<h1 ${inDark('ink')} style="margin:0 0 16px;font-size:24px;line-height:30px;
color:${ink}">${title}</h1>
${joined(parts)}${link && addressOf(textOf(link), otherwise, light)}`
}

/** Writes a sentence. After the last link or code, sentences are about it, and smaller. */
function sentenceOf(text: string, isSoft: boolean): Html {
  const style = isSoft ? `font-size:14px;line-height:21px;color:${soft}` : `color:${ink}`
  return markup`<p ${inDark(isSoft ? 'soft' : 'ink')} style="margin:0 0 16px;${style}">${text}</p>
`
}

function actionOf(
  paragraph: Exclude<Paragraph, string>,
  button: string,
  { accentSoft, accent, accentEdge, onAccent }: Accent,
): Html {
  if ('code' in paragraph)
    return markup`<table ${table} style="margin:0 0 24px">
<tr><td ${inDark('box', 'ink')} bgcolor="${accentSoft}" style="padding:10px 18px;
background:${accentSoft};border-radius:10px;font:bold 24px/32px Menlo,Consolas,monospace;
letter-spacing:3px;color:${ink}"><strong>${paragraph.code}</strong></td></tr>
</table>
`

  return markup`<table ${table} style="margin:0 0 24px">
<tr><td ${inDark('act')} bgcolor="${accent}" style="background:${accent};
border:1px solid ${accentEdge};border-radius:10px"><a ${inDark('on')} href="${paragraph.link}"
style="display:inline-block;padding:13px 26px;font-weight:bold;color:${onAccent};
text-decoration:none">${button}</a></td></tr>
</table>
`
}

/** Writes the address of the link, for mail programs that show no button. */
function addressOf(link: string, otherwise: string, { accentText }: Accent): Html {
  return markup`<p ${inDark('soft')} style="margin:0;font-size:13px;line-height:20px;color:${soft}">
${otherwise}<br>
<a ${inDark('link')} href="${link}"
style="color:${accentText};word-break:break-all">${link}</a></p>`
}

function textOf(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return paragraph
  return 'link' in paragraph ? paragraph.link : paragraph.code
}

/** The logo in the mail itself: a mail loads nothing from elsewhere. */
const logoId = 'logo@keystile'

function logoOf({ logo }: Brand): MailAttachment | undefined {
  if (!logo?.png) return undefined
  return {
    filename: 'logo.png',
    contentType: 'image/png',
    content: Buffer.from(logo.png).toString('base64'),
    encoding: 'base64',
    cid: logoId,
    contentDisposition: 'inline',
  }
}

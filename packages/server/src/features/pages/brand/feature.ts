// The settings for the look of the app in pages and mails, and for the texts of the pages.
import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings } from '../../../feature/setting.ts'
import { show, showTyped } from '../../../feature/shown-value.ts'
import { filledString } from '../../../feature/values.ts'
import { findTextFaults } from '../../mail/messages/page-text-faults.ts'
import type { PageTextChanges } from '../../mail/messages/page-texts.ts'
import { readCss, readLogo } from './files.ts'

export interface BrandOptions {
  /** The name of the app in pages and mails. Default: the host of the issuer. */
  readonly appName?: string
  /**
   * The colour of the app, such as `#7a1fa2`. Pages and mails derive all their colours from it, so
   * that every text is readable. Default: `#7a1fa2`.
   */
  readonly appColor?: string
  /**
   * The path of the logo: an SVG or PNG file with at most 64 kB. Pages show it on a white square.
   * Mails show it only if it is a PNG. Default: no logo.
   */
  readonly appLogoFile?: string
  /**
   * The URL where people go on after a page, such as `https://app.example/`. Default: the only
   * origin in `corsOrigins`, or the root of the issuer.
   */
  readonly appUrl?: string
  /** The URL of the terms of use, to which all pages link. Default: no link. */
  readonly termsUrl?: string
  /** The URL of the privacy policy, to which all pages link. Default: no link. */
  readonly privacyUrl?: string
  /**
   * The path of a stylesheet with at most 32 kB, whose rules come after those of Keystile. It must
   * not load anything: no `url()` and no `@import`. Default: none.
   */
  readonly pagesCssFile?: string
  /**
   * Texts of the pages, in place of those of Keystile: for each language, such as `en`, the
   * sentences to replace. Another language than Keystile's `en`, `de`, `fr` and `es` is added, and
   * its missing texts are in English.
   */
  readonly pageTexts?: Readonly<Record<string, PageTextChanges>>
}

/** What the settings for URLs have in common. Pages only link to these URLs. */
const link = { takenBy: 'both', schema: filledString, findFaults: findLinkFaults } as const

const settings = listSettings<BrandOptions>({
  appName: {
    name: 'appName',
    takenBy: 'both',
    schema: filledString,
    defaultText: 'the host of the issuer',
    help: 'the name of the app in pages and mails',
    environment: ['KEYSTILE_APP_NAME'],
    findFaults: (name) => {
      if (/\p{C}/u.test(name)) return ['must not contain control characters']
      return name.length > 60 ? [`must have at most 60 characters; it has ${name.length}`] : []
    },
  },
  appColor: {
    name: 'appColor',
    takenBy: 'both',
    schema: z.string({ error: 'must be a string' }),
    default: '#7a1fa2',
    help: 'the colour of the app; pages and mails derive readable colours from it',
    environment: ['KEYSTILE_APP_COLOR'],
    findFaults: (color) =>
      /^#[\da-f]{6}$/i.test(color)
        ? []
        : [`must be # and six hexadecimal digits, such as #7a1fa2; it is ${showTyped(color)}`],
  },
  appLogoFile: {
    name: 'appLogoFile',
    takenBy: 'both',
    schema: filledString,
    defaultText: 'no logo',
    help: 'the path of the logo, an SVG or PNG file; mails show only a PNG',
    environment: ['KEYSTILE_APP_LOGO_FILE'],
    findFaults: (path) => findReadingFaults(() => readLogo(path)),
  },
  appUrl: {
    ...link,
    name: 'appUrl',
    defaultText: 'the only origin in corsOrigins, or the root of the issuer',
    help: 'the URL of the app, where people go on after a page',
    environment: ['KEYSTILE_APP_URL'],
  },
  termsUrl: {
    ...link,
    name: 'termsUrl',
    defaultText: 'no link',
    help: 'the URL of the terms of use, to which all pages link',
    environment: ['KEYSTILE_TERMS_URL'],
  },
  privacyUrl: {
    ...link,
    name: 'privacyUrl',
    defaultText: 'no link',
    help: 'the URL of the privacy policy, to which all pages link',
    environment: ['KEYSTILE_PRIVACY_URL'],
  },
  pagesCssFile: {
    name: 'pagesCssFile',
    takenBy: 'both',
    schema: filledString,
    defaultText: 'none',
    help: "the path of a stylesheet whose rules come after those of Keystile's pages",
    environment: ['KEYSTILE_PAGES_CSS_FILE'],
    findFaults: (path) => findReadingFaults(() => readCss(path)),
  },
  pageTexts: {
    name: 'pageTexts',
    takenBy: 'both',
    schema: z.custom<NonNullable<BrandOptions['pageTexts']>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      { error: 'must be an object with an object for each language' },
    ),
    defaultText: 'the texts of Keystile',
    help: 'texts of the pages by language, in place of those of Keystile',
    findFaults: findTextFaults,
  },
})

export const feature: Feature<BrandOptions> = { name: 'brand', settings }

/** Checks that pages can link to a URL. Such a link carries no secret, so http is allowed. */
function findLinkFaults(text: string): readonly string[] {
  return /^https?:\/\//.test(text) && URL.canParse(text)
    ? []
    : [`must be an https or http URL; it is ${show(text)}`]
}

/** Returns the fault of a file: what `readLogo` or `readCss` throws about it. */
function findReadingFaults(read: () => unknown): readonly string[] {
  try {
    read()
    return []
  } catch (error) {
    return [(error as TypeError).message]
  }
}

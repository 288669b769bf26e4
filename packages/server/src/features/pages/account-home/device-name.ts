/** A browser and a system, by the names that people know. */
export interface Device {
  /** Undefined if the browser is not a common one. */
  readonly browser: string | undefined
  readonly system: string
}

type Known = readonly (readonly [name: string, pattern: RegExp])[]

/** The first that matches counts: most browsers also name others. */
const browsers: Known = [
  ['Edge', /\bEdg(?:A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS)\//],
  ['Safari', /\bVersion\/\S+ (?:Mobile\/\S+ )?Safari\//],
]

const systems: Known = [
  ['Windows', /\bWindows NT\b/],
  ['Android', /\bAndroid\b/],
  ['iOS', /\biPhone\b/],
  ['iPadOS', /\biPad\b/],
  ['macOS', /\bMacintosh\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
]

const phones: ReadonlySet<string> = new Set(['Android', 'iOS'])

/** Returns the browser and the system of a `User-Agent`; undefined for a system that is rare. */
export function readDevice(userAgent: string): Device | undefined {
  const system = nameIn(systems, userAgent)
  return system === undefined ? undefined : { browser: nameIn(browsers, userAgent), system }
}

function nameIn(known: Known, userAgent: string): string | undefined {
  return known.find(([, pattern]) => pattern.test(userAgent))?.[0]
}

export function isPhone(device: Device | undefined): boolean {
  return device !== undefined && phones.has(device.system)
}

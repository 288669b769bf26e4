// Starts a browser for tests: one that is installed on the machine, or the one from npm.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'

const pathVariable = 'KEYSTILE_TEST_BROWSER'

const installed = [
  '/usr/bin/chromium',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Lets the browser run as root, and keeps it from calling other hosts. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** How long a page may take for one step. On a busy machine, a step takes many seconds. */
const patienceMilliseconds = 300_000

/** Configures the fonts of the machine, and the fonts in the folder of this file. */
const fontsConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`

/** The hint in the message about skipped tests. */
const howToGetBrowser =
  `set ${pathVariable} to a Chromium, or install chromium, ` +
  'or run npm ci on Linux with an x64 processor'

/**
 * Returns the option `skip` of a suite: false when there is a browser. Without a browser, prints a
 * warning and returns its text.
 *
 * @throws {Error} without a browser when CI=true: in CI no test may be skipped
 */
export function skipWithoutBrowser(): false | string {
  if (process.env[pathVariable] || findInstalled() || findNpmPackage()) return false
  const message = `no browser: ${howToGetBrowser}`
  if (process.env['CI'] === 'true') throw new Error(message)
  console.error(`\n*** ${message}. Its tests are SKIPPED. ***\n`)
  return message
}

/**
 * Starts the first browser that it finds: the one that KEYSTILE_TEST_BROWSER names,
 * /usr/bin/chromium, Google Chrome, or the npm package @sparticuz/chromium. The caller closes it.
 *
 * @throws {Error} when there is none, or it does not start
 */
export async function startBrowser(): Promise<Browser> {
  const path = process.env[pathVariable] || findInstalled()
  if (path) return launch({ executablePath: path })
  const npm = findNpmPackage()
  if (!npm) throw new Error(`no browser: ${howToGetBrowser}`)
  const folder = unpack(npm)
  // The npm package's browser needs fonts and three libraries that a bare Debian lacks. The package
  // brings them.
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: join(folder, 'lib'),
    FONTCONFIG_FILE: join(folder, 'fonts.conf'),
  }
  return launch({ executablePath: join(folder, 'chromium'), env })
}

async function launch(options: LaunchOptions): Promise<Browser> {
  const browser = await chromium.launch({ ...options, args: flags, timeout: patienceMilliseconds })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (given) => {
    const context = await newContext(given)
    context.setDefaultTimeout(patienceMilliseconds)
    return context
  }
  return browser
}

function findInstalled(): string | undefined {
  return installed.find((path) => existsSync(path))
}

/** Returns the folder of the package's archives, which work only on Linux on x64. */
function findNpmPackage(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  try {
    return fileURLToPath(new URL('../../bin', import.meta.resolve('@sparticuz/chromium')))
  } catch {
    return undefined
  }
}

/**
 * Returns the folder with the unpacked browser. Unpacking takes seconds, so the folder is kept in
 * the package: `npm ci` removes it, and no other user can replace it. When the package is not
 * writable, a temporary folder serves this run.
 */
function unpack(archives: string): string {
  const kept = join(archives, 'unpacked')
  if (existsSync(kept)) return kept
  const folder = makeFolder(archives)
  const read = (name: string): Buffer => brotliDecompressSync(readFileSync(join(archives, name)))
  for (const archive of ['al2023.tar.br', 'fonts.tar.br']) {
    execFileSync('tar', ['--extract', '--no-same-owner', '--directory', folder], {
      input: read(archive),
    })
  }
  writeFileSync(join(folder, 'fonts.conf'), fontsConfiguration)
  writeFileSync(join(folder, 'chromium'), read('chromium.br'), { mode: 0o755 })
  if (dirname(folder) !== archives) {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    return folder
  }
  try {
    // Readable by other users, like the package.
    chmodSync(folder, 0o755)
    renameSync(folder, kept)
  } catch {
    // Another test file has unpacked the browser at the same time.
    rmSync(folder, { recursive: true })
  }
  return kept
}

function makeFolder(archives: string): string {
  try {
    return mkdtempSync(join(archives, 'unpacking-'))
  } catch {
    return mkdtempSync(join(tmpdir(), 'keystile-chromium-'))
  }
}

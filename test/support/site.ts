// Keystile with its pages on a port of this machine, for tests with a browser.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { mount } from 'keystile/node'
import { freePort } from '../../packages/server/test-support/command.ts'
import {
  startKeystile,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { until } from '../../tools/until.ts'
import { isListening } from './listening.ts'

/** How browsers reach the pages. */
export type Place = 'alone' | 'in an app' | 'behind nginx with TLS' | 'beside another issuer'
export const places: readonly Place[] = [
  'alone',
  'in an app',
  'behind nginx with TLS',
  'beside another issuer',
]

export interface Site extends WithMailbox {
  /** The issuer, which is the URL of the pages. */
  readonly url: string
  /** Another Keystile at another path of the same origin, if there is one. */
  readonly other: TestKeystile | undefined
}

const nginx = '/usr/sbin/nginx'

/** Returns why a place cannot be tested on this machine; false if it can. In CI it must be. */
export function skipPlace(place: Place): false | string {
  const isMissing = !existsSync(nginx) && process.env['CI'] !== 'true'
  return place === 'behind nginx with TLS' && isMissing && 'install nginx to run it'
}

/** Starts the pages at a place. They end after the test. */
export async function openSite(
  t: TestContext,
  stage: Stage,
  place: Place,
  options: object = {},
): Promise<Site> {
  const port = await freePort()
  const proxyPort = place === 'behind nginx with TLS' ? await freePort() : undefined
  const origin = proxyPort ? `https://localhost:${proxyPort}` : `http://localhost:${port}`
  const hasPath = place === 'in an app' || place === 'beside another issuer'
  const url = `${origin}${hasPath ? '/auth' : ''}`
  const given = { loginPages: 'on', ...(proxyPort && { trustedProxies: ['127.0.0.1'] }) }
  const started = await startWithMailbox(stage, { issuer: url, ...given, ...options })
  const folder = mkdtempSync(join(tmpdir(), 'keystile-site-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const other =
    place === 'beside another issuer'
      ? await startKeystile({
          issuer: `${origin}/other`,
          database: join(folder, 'other.db'),
          loginPages: 'on',
        })
      : undefined
  if (other) t.after(() => other.keystile.close())

  const handlers = [started, ...(other ? [other] : [])].map(({ keystile }) => mount(keystile))
  const server = createServer((request, response) => {
    const next = handlers.reduceRight<() => void>(
      (after, handle) => () => void handle(request, response, after),
      () => response.setHeader('content-type', 'text/html').end('<h1>The app</h1>'),
    )
    next()
  }).listen(port)
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  if (proxyPort) await startNginx(t, folder, { port, proxyPort })
  return { ...started, url, other }
}

/** Starts nginx with the configuration that docs/guides/proxy.md recommends. */
async function startNginx(
  t: TestContext,
  folder: string,
  { port, proxyPort }: { readonly port: number; readonly proxyPort: number },
): Promise<void> {
  const names = ['-keyout', 'privkey.pem', '-out', 'fullchain.pem', '-subj', '/CN=localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', ...kind, '-nodes', '-days', '2', ...names], {
    cwd: folder,
    stdio: 'ignore',
  })
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/proxy.md'), 'utf8')
  const block = (/```nginx\n([^]*?)```/.exec(guide)?.[1] ?? '')
    .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
    .replace('listen 443 ssl', `listen ${proxyPort} ssl`)
    .replace('auth.example;', 'localhost;')
    .replaceAll('/etc/ssl/auth.example', folder)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `${user} daemon off; worker_processes 1; pid ${folder}/pid; events {}
http { access_log off; ${temporary}\n${block} }`,
  )
  const child = spawn(nginx, ['-e', 'stderr', '-c', file], { stdio: 'ignore' })
  t.after(async () => {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx does not start: ${file}`)
    return isListening(proxyPort)
  })
}

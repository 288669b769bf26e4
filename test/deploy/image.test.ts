// Builds the image of deploy/Dockerfile with buildah and runs the image with crun; both work
// without a daemon. The server runs as the user of the image, without capabilities, with a
// read-only root, and with only the system calls that deploy/keystile.service allows. Debian has
// both programs. The test must run as root, and `npm ci` in the image must reach a registry.
import assert from 'node:assert/strict'
import {
  execFileSync,
  spawn,
  spawnSync,
  type ChildProcessWithoutNullStreams,
} from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../../packages/server/test-support/command.ts'
import { until } from '../../tools/until.ts'
import { pack } from '../support/packed.ts'

const root = join(import.meta.dirname, '../..')
const issuer = 'https://auth.example'
const password = 'an engine of her own'

const reason = process.env['KEYSTILE_LONG'] ? whyNot() : undefined
const skip = process.env['KEYSTILE_LONG'] ? (reason ?? false) : 'KEYSTILE_LONG=1 runs it'
if (reason) console.error(`\n*** The image is not built: ${reason}. ***\n`)
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

function whyNot(): string | undefined {
  const programs = ['buildah', 'crun', 'unshare', 'systemd-analyze', 'ldd']
  const missing = programs.filter((name) => spawnSync(name, ['--version']).error)
  if (missing.length > 0) return `install ${missing.join(' and ')}`
  return process.getuid?.() === 0 ? undefined : 'it must run as root'
}

interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Healthcheck: { readonly Test: readonly string[] }
}

describe('the container image', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-image-'))
  const data = join(folder, 'data')
  const env = { ...process.env, TMPDIR: folder, STORAGE_DRIVER: 'overlay' }
  let image: ImageConfig
  let container = ''
  let port = 0
  let server: ChildProcessWithoutNullStreams | undefined
  let output: Promise<readonly string[]> = Promise.resolve([])

  before(async () => {
    pack(folder)
    const context = join(folder, 'context')
    mkdirSync(context)
    cpSync(join(folder, 'repository/tarballs'), join(context, 'tarballs'), { recursive: true })
    for (const name of ['deploy/package.json', 'deploy/package-lock.json'])
      copyTo(join(context, name), join(root, name))

    build('node', makeBase())
    build('keystile', context, join(root, 'deploy/Dockerfile'), 'NODE_IMAGE=localhost/node')
    const inspected = JSON.parse(buildah('inspect', '--type', 'image', 'localhost/keystile')) as {
      readonly Docker: { readonly config: ImageConfig }
    }
    image = inspected.Docker.config

    container = buildah('from', ...limits(), 'localhost/keystile')
    port = await freePort()
    mkdirSync(data)
    chownSync(data, 1000, 1000)
    chmodSync(data, 0o700)
    chmodSync(folder, 0o755)
    const config = runtimeConfig(buildah('mount', container))
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))

    server = crun('run', '--bundle', folder, 'keystile')
    output = Promise.all([text(server.stdout), text(server.stderr)])
    await untilReady(server)
  })

  after(async () => {
    if (server?.exitCode === null) {
      await finish(crun('delete', '--force', 'keystile'))
      await once(server, 'exit')
    }
    if (container) {
      buildah('umount', container)
      buildah('rm', container)
    }
    spawnSync('umount', [join(folder, 'store/overlay')])
    rmSync(folder, { recursive: true, force: true })
  })

  it('the container image has a health check and a user that is not root', () => {
    assert.equal(image.User, '1000:1000')
    assert.deepEqual(image.Healthcheck.Test.slice(0, 3), ['CMD', 'node', '-e'])
    assert.deepEqual(image.Cmd, ['serve'])
  })

  it('a container runs as user 1000 on a read-only root file system, and is healthy', async () => {
    const program =
      'let why; try { fs.writeFileSync("/x", "") } catch ({ code }) { why = code }' +
      'console.log(process.getuid(), process.getgid(), why)'
    const { code, stdout, stderr } = await exec('node', '-e', program)
    assert.deepEqual([code, stdout, stderr], [0, '1000 1000 EROFS\n', ''])

    const [, ...check] = image.Healthcheck.Test
    assert.deepEqual(await exec(...check), { code: 0, stdout: '', stderr: '' })
  })

  it('a command in a container creates the first administrator, who can log in', async () => {
    const file = join(data, 'password')
    writeFileSync(file, password, { mode: 0o600 })
    chownSync(file, 1000, 1000)
    const args = ['user', 'create', 'ada', '--role', 'admin', '--password-file', '/data/password']
    const { code, stdout, stderr } = await exec(...image.Entrypoint, ...args)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^created ada/)

    const body = new URLSearchParams({ username: 'ada', password })
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', body })
    assert.equal(answer.status, 200)
    const files = readdirSync(data).filter((name) => !/-(?:wal|shm)$/.test(name))
    assert.deepEqual(files.toSorted(), ['keystile.db', 'keystile.key', 'password'])
  })

  it('a container ends at SIGTERM with exit code 0', async () => {
    assert.equal((await finish(crun('kill', 'keystile', 'TERM'))).code, 0)
    assert.ok(server)
    if (server.exitCode === null) await once(server, 'exit')
    const [stdout = '', stderr = ''] = await output
    assert.equal(server.exitCode, 0, stderr)
    assert.match(
      stdout,
      / {2}node \/app\/\S+keystile\.cjs user create NAME --email ADDRESS --role admin/,
    )
    assert.match(stderr, /"msg":"stopped"/)
  })

  function buildah(...args: readonly string[]): string {
    const where = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')]
    const { status, stdout, stderr } = spawnSync('buildah', [...where, ...args], {
      env,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `buildah ${args.join(' ')}:\n${stdout}${stderr}`)
    return stdout.trim()
  }

  function build(name: string, context: string, file?: string, argument?: string): void {
    const options = ['--isolation', 'chroot', '--format', 'docker', '--tag', name, ...limits()]
    if (file) options.push('--file', file)
    if (argument) options.push('--build-arg', argument)
    buildah('build', ...options, context)
  }

  /** Makes a base image like the official Node image, from the programs of this machine. */
  function makeBase(): string {
    const context = join(folder, 'base')
    const programs = ['sh', 'mkdir', 'ls', 'tar', 'gzip'].map((name) => `/bin/${name}`)
    programs.push('/usr/bin/env')
    for (const program of programs) copyProgram(program, join(context, program))
    copyProgram(process.execPath, join(context, 'usr/local/bin/node'))

    const npm = realpathSync(execFileSync('sh', ['-c', 'command -v npm']).toString().trim())
    const modules = join(context, 'usr/local/lib/node_modules')
    cpSync(dirname(dirname(npm)), join(modules, 'npm'), { recursive: true, dereference: true })
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(context, 'usr/local/bin/npm'))

    // The image uses the package registry and the certificate authorities of this machine.
    const authorities = '/etc/ssl/certs/ca-certificates.crt'
    copyTo(join(context, authorities), authorities)
    const registry = execFileSync('npm', ['config', 'get', 'registry']).toString().trim()
    mkdirSync(join(context, 'usr/local/etc'))
    writeFileSync(
      join(context, 'usr/local/etc/npmrc'),
      `registry=${registry}\ncafile=${authorities}\n`,
    )
    for (const name of ['tmp', 'root']) mkdirSync(join(context, name))
    const from = 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp\n'
    writeFileSync(join(context, 'Dockerfile'), from)
    return context
  }

  function copyProgram(program: string, to: string): void {
    copyTo(to, program)
    const listed = execFileSync('ldd', [program], { encoding: 'utf8' })
    for (const [library] of listed.matchAll(/\/\S+/g)) {
      if (library.endsWith(':')) continue
      copyTo(join(folder, 'base', library), library)
    }
  }

  function copyTo(to: string, file: string): void {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(file, to)
  }

  /** Returns the OCI configuration that `docker run --read-only --cap-drop ALL` would use. */
  function runtimeConfig(path: string): object {
    const settings = {
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_REGISTRATION: 'closed',
      KEYSTILE_TRUSTED_PROXIES: 'none',
      KEYSTILE_PORT: port,
    }
    const [uid, gid] = image.User.split(':').map(Number)
    const tmpfs = { type: 'tmpfs', source: 'tmpfs' }
    return {
      ociVersion: '1.0.2',
      process: {
        terminal: false,
        user: { uid, gid },
        args: [...image.Entrypoint, ...image.Cmd],
        env: [...image.Env, ...Object.entries(settings).map((pair) => pair.join('='))],
        cwd: '/',
        noNewPrivileges: true,
        capabilities: { bounding: [], effective: [], permitted: [] },
      },
      root: { path, readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', ...tmpfs, options: ['nosuid', 'mode=755', 'size=64k'] },
        { destination: '/tmp', ...tmpfs, options: ['nosuid', 'size=16m'] },
        { destination: '/data', type: 'none', source: data, options: ['bind', 'rw'] },
      ],
      linux: {
        namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          defaultErrnoRet: 1,
          syscalls: [{ names: [...allowedCalls()], action: 'SCMP_ACT_ALLOW' }],
        },
      },
    }
  }

  /** Starts crun in a mount namespace with plain cgroup2, because crun refuses hybrid cgroups. */
  function crun(...args: readonly string[]): ChildProcessWithoutNullStreams {
    const script =
      'umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup; exec crun "$@"'
    const own = ['--root', join(folder, 'crun'), '--cgroup-manager=disabled']
    // The streams are pipes: crun makes the user of the container the owner of its streams, and
    // must not do so with /dev/null.
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', ...own, ...args])
    child.stdin.end()
    return child
  }

  function exec(
    ...command: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    return finish(crun('exec', '--no-new-privs', 'keystile', ...command))
  }

  async function untilReady(started: ChildProcessWithoutNullStreams): Promise<void> {
    const isReady = async (): Promise<boolean | undefined> =>
      (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok
    await until(async () => started.exitCode !== null || (await isReady()))
    if (started.exitCode === null) return
    started.kill('SIGKILL')
    assert.fail(`the server in the image must become ready; it said: ${(await output).join('')}`)
  }
})

async function finish(
  child: ChildProcessWithoutNullStreams,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

/**
 * Returns this machine's limits as options for buildah. Without CAP_SYS_RESOURCE, buildah cannot
 * raise the limits to its own defaults.
 */
function limits(): readonly string[] {
  const hard = (what: string): string =>
    execFileSync('bash', ['-c', `ulimit -H${what}`], { encoding: 'utf8' }).trim()
  const [files, processes] = [hard('n'), hard('u')]
  return ['--ulimit', `nofile=${files}:${files}`, '--ulimit', `nproc=${processes}:${processes}`]
}

/** The system calls that the systemd unit allows. */
function allowedCalls(): ReadonlySet<string> {
  const unit = readFileSync(join(root, 'deploy/keystile.service'), 'utf8')
  const allowed = new Set<string>()
  for (const [, no, names = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.+)$/gm)) {
    for (const name of names.split(' ').flatMap(callsOf)) {
      if (no) allowed.delete(name)
      else allowed.add(name)
    }
  }
  assert.ok(allowed.size > 100, String(allowed.size))
  return allowed
}

/** Returns the system calls of a set such as `@system-service`. For one call, returns that call. */
function callsOf(name: string): readonly string[] {
  if (!name.startsWith('@')) return [name]
  const said = execFileSync('systemd-analyze', ['syscall-filter', name], { encoding: 'utf8' })
  const listed = said
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
  return listed.filter((line) => /^@?\w[\w-]*$/.test(line)).flatMap(callsOf)
}

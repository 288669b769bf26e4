// The servers with which Keystile is compared: how to start each of them, and whether it is
// installed.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject } from './json.ts'
import { versionOf } from './machine.ts'
import { password } from './people.ts'
import { nodeProgram, type Program } from './process.ts'

const peers = join(import.meta.dirname, 'peers')
const python = '/usr/bin/python3'
const secret = randomBytes(32).toString('base64url')
const inMemory = { SECRET: secret, PASSWORD: password, PEOPLE: '20' }

/**
 * The versions of the packages of a server, or the reason why the server cannot be measured on this
 * machine.
 */
export type Found = Readonly<Record<string, string>> | string

/** @param login `async` runs the login in the event loop, `def` in a thread pool */
export function fastapiProgram(login: 'async' | 'def'): Program {
  return {
    command: python,
    args: [join(peers, 'fastapi_app.py')],
    env: { ...inMemory, LOGIN: login },
  }
}

export function betterAuthProgram(folder: string): Program {
  const env = { SECRET: secret, DATABASE: join(folder, 'better-auth.db') }
  return { ...nodeProgram(join(peers, 'better-auth.ts')), env }
}

export function bcryptProgram(): Program {
  return { ...nodeProgram(join(peers, 'bcrypt-fastify.ts')), env: inMemory }
}

export function findBetterAuth(): Found {
  return findPackages('Better Auth', ['better-auth'])
}

export function findBcrypt(): Found {
  return findPackages('Fastify with bcrypt', ['bcrypt', '@fastify/jwt'])
}

function findPackages(what: string, names: readonly string[]): Found {
  const versions = names.map((name) => [name, versionOf(name, peers)] as const)
  if (versions.some(([, version]) => version === undefined))
    return `${what} is not installed: npm run bench:peers`
  return Object.fromEntries(versions as readonly (readonly [string, string])[])
}

/** Returns the versions of Debian's Python packages, or the reason why they cannot be used. */
export function findFastapi(): Found {
  if (!existsSync(python)) return `FastAPI: there is no ${python}`
  const script = `
import json, platform, fastapi, uvicorn, jwt, argon2, python_multipart
from uvicorn.protocols.http.auto import AutoHTTPProtocol
protocol = AutoHTTPProtocol.__module__.split(".")[-1].replace("_impl", "")
try:
  import uvloop
  loop = "uvloop"
except ImportError:
  loop = "asyncio"
print(json.dumps({
  "Python": platform.python_version(),
  "FastAPI": fastapi.__version__,
  "PyJWT": jwt.__version__,
  "uvicorn": uvicorn.__version__ + " with " + loop + " and " + protocol,
}))`
  const { status, stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' })
  if (status !== 0)
    return `FastAPI: ${stderr.trim().split('\n').at(-1)} (which packages: bench/peers/install.ts)`
  const versions: unknown = JSON.parse(stdout)
  return isJsonObject(versions)
    ? Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, String(version)]))
    : {}
}

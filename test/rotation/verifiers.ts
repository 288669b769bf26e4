// Verifiers that fetch the published keys, each in its own way. Their times are scaled like those of
// the servers.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyOptions,
} from 'jose'
import { createVerifier } from 'keystile'
import { issuer } from '../../packages/server/test-support/keystile.ts'

/** A verifier. `verify` rejects if it refuses the token. */
export interface Checker {
  readonly name: string
  verify(token: string): Promise<unknown>
  close?(): void
}

/** Where the keys are published, and the time. */
export interface Surroundings {
  /** The origin of a server whose `/.well-known/jwks.json` is that of one of the instances. */
  readonly origin: string
  readonly clock: { now(): number }
  /** How many times faster than real time the clock runs. */
  readonly factor: number
}

const peers = join(import.meta.dirname, '../../bench/peers')
const requirePeer = createRequire(join(peers, 'package.json'))
/** Imports an ES module that `npm run bench:peers` has installed. */
export const importPeer = (name: string): Promise<object> =>
  import(pathToFileURL(requirePeer.resolve(name)).href)

/** Our own verifier: one that runs for the whole test, and one that starts cold for each token. */
export function ourCheckers({ origin, clock }: Surroundings): readonly Checker[] {
  const jwksUri = `${origin}/.well-known/jwks.json`
  const options = { issuer, audience: issuer, jwksUri, clock, revocations: 'none' } as const
  const { verify, close } = createVerifier(options)
  return [
    { name: 'keystile', verify: (token) => verify(token), close },
    {
      name: 'keystile, started cold for each token',
      verify: (token) => createVerifier(options).verify(token),
    },
  ]
}

/** jose as in its documentation, and with keys that are cached for a fixed time. */
export function joseCheckers({ origin, clock, factor }: Surroundings): readonly Checker[] {
  const jwksUri = `${origin}/.well-known/jwks.json`
  const demand = (): JWTVerifyOptions => ({
    issuer,
    audience: issuer,
    currentDate: new Date(clock.now()),
  })
  const remote = createRemoteJWKSet(new URL(jwksUri), {
    cooldownDuration: 30_000 / factor,
    cacheMaxAge: 600_000 / factor,
  })
  let cached: { readonly keys: JSONWebKeySet; readonly at: number } | undefined

  return [
    { name: 'jose', verify: (token) => jwtVerify(token, remote, demand()) },
    {
      name: 'jose, keys cached for exactly 50 minutes',
      async verify(token) {
        const at = performance.now()
        if (!cached || at - cached.at > 3_000_000 / factor)
          cached = { at, keys: (await (await fetch(jwksUri)).json()) as JSONWebKeySet }
        return jwtVerify(token, createLocalJWKSet(cached.keys), demand())
      },
    },
  ]
}

/** The verifiers of long runs: those that are installed. The others are skipped loudly. */
export async function peerCheckers(surroundings: Surroundings): Promise<readonly Checker[]> {
  const made: Checker[] = []
  for (const make of [getJwksChecker, jwksRsaChecker, pyJwtChecker]) {
    try {
      made.push(await make(surroundings))
    } catch (error) {
      console.log(`SKIPPED ${make.name} (npm run bench:peers): ${(error as Error).message}`)
    }
  }
  return made
}

/** The parts of fast-jwt and get-jwks that are used. */
interface GetJwks {
  (options: object): { getPublicKey(signature: object): Promise<string> }
}
interface FastJwt {
  createVerifier(options: object): (token: string) => Promise<unknown>
}

function getJwksChecker({ origin, clock, factor }: Surroundings): Checker {
  const { createVerifier: create } = requirePeer('fast-jwt') as FastJwt
  const source = (requirePeer('get-jwks') as GetJwks)({ max: 100, ttl: Math.ceil(60_000 / factor) })
  return {
    name: 'fast-jwt with get-jwks',
    verify: (token) =>
      create({
        key: ({ header }: { readonly header: { readonly kid: string; readonly alg: string } }) =>
          source.getPublicKey({ domain: origin, kid: header.kid, alg: header.alg }),
        algorithms: ['ES256'],
        allowedIss: issuer,
        allowedAud: issuer,
        clockTimestamp: clock.now(),
      })(token),
  }
}

/** The parts of jwks-rsa and jsonwebtoken that are used. */
interface JwksRsa {
  (options: object): { getSigningKey(kid: string): Promise<{ getPublicKey(): string }> }
}
interface JsonWebToken {
  decode(token: string, options: object): { readonly header: { readonly kid: string } }
  verify(token: string, key: string, options: object): unknown
}

function jwksRsaChecker({ origin, clock, factor }: Surroundings): Checker {
  const jwt = requirePeer('jsonwebtoken') as JsonWebToken
  const jwksUri = `${origin}/.well-known/jwks.json`
  const source = (requirePeer('jwks-rsa') as JwksRsa)({
    jwksUri,
    cacheMaxAge: Math.ceil(600_000 / factor),
  })
  return {
    name: 'jsonwebtoken with jwks-rsa',
    async verify(token) {
      const { kid } = jwt.decode(token, { complete: true }).header
      const key = (await source.getSigningKey(kid)).getPublicKey()
      const clockTimestamp = Math.floor(clock.now() / 1000)
      const demand = { algorithms: ['ES256'], issuer, audience: issuer, clockTimestamp }
      return jwt.verify(token, key, demand)
    },
  }
}

/** PyJWT has no clock of its own, so it does not check the expiry. */
const python = `
import sys, jwt
uri, issuer, lifespan = sys.argv[1], sys.argv[2], float(sys.argv[3])
client = jwt.PyJWKClient(uri, lifespan=lifespan)
print('ready', flush=True)
for line in sys.stdin:
    token = line.strip()
    try:
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=['ES256'], audience=issuer, issuer=issuer,
                   options={'verify_exp': False, 'verify_iat': False, 'verify_nbf': False})
        print('ok', flush=True)
    except Exception as error:
        print(repr(error).replace('\\n', ' '), flush=True)
`

async function pyJwtChecker({ origin, factor }: Surroundings): Promise<Checker> {
  const uri = `${origin}/.well-known/jwks.json`
  const child = spawn('/usr/bin/python3', ['-c', python, uri, issuer, String(300 / factor)])
  child.on('error', () => {})
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('/usr/bin/python3 has no PyJWT')
    return value
  }
  await next()
  let turn: Promise<unknown> = Promise.resolve()
  const ask = async (token: string): Promise<void> => {
    child.stdin.write(`${token}\n`)
    const answer = await next()
    if (answer !== 'ok') throw new Error(answer)
  }
  return {
    name: 'PyJWT with PyJWKClient',
    verify(token) {
      const asked = turn.then(() => ask(token))
      turn = asked.catch(() => {})
      return asked
    },
    close: () => void child.stdin.end(),
  }
}

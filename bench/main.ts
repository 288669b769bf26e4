// npm run bench: measures Keystile beside its peers.
//
//   npm run bench                        all scenarios, into bench/results and bench/README.md
//   npm run bench -- guards verify       only these scenarios
//   npm run bench -- --rounds 9 --seconds 5
//   npm run bench -- scale --users 10000  the scenario scale with smaller databases
//   npm run bench -- --quick             one short round without files: does the bench work?
//   npm run bench -- --quick --out DIR   one short round; writes the results into DIR
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { toMarkdown } from './markdown.ts'
import type { Effort } from './measure.ts'
import type { Findings, Result } from './result.ts'
import { resultsFolder, updateReadme, writeResult } from './results.ts'
import { bundles } from './scenarios/bundles.ts'
import { cached } from './scenarios/cached.ts'
import { feed } from './scenarios/feed.ts'
import { guards } from './scenarios/guards.ts'
import { logins } from './scenarios/logins.ts'
import { mail } from './scenarios/mail.ts'
import { me } from './scenarios/me.ts'
import { profile } from './scenarios/profile.ts'
import { scale } from './scenarios/scale.ts'
import { sessions } from './scenarios/sessions.ts'
import { slow } from './scenarios/slow.ts'
import { start } from './scenarios/start.ts'
import { stormed } from './scenarios/storm.ts'
import { tokens } from './scenarios/tokens.ts'
import { users } from './scenarios/users.ts'
import { verify } from './scenarios/verify.ts'
import { build } from './stand-alone.ts'

interface Scenario {
  run(effort: Effort): Promise<Findings>
  /** Whether the scenario measures the built server. */
  readonly isBuilt: boolean
}

const scenarios: Readonly<Record<string, Scenario>> = {
  guards: { run: guards, isBuilt: false },
  tokens: { run: tokens, isBuilt: false },
  users: { run: users, isBuilt: false },
  profile: { run: profile, isBuilt: false },
  verify: { run: verify, isBuilt: false },
  cached: { run: cached, isBuilt: false },
  me: { run: me, isBuilt: true },
  logins: { run: logins, isBuilt: true },
  storm: { run: stormed, isBuilt: false },
  mail: { run: mail, isBuilt: false },
  sessions: { run: sessions, isBuilt: true },
  feed: { run: feed, isBuilt: true },
  scale: { run: scale, isBuilt: false },
  start: { run: start, isBuilt: true },
  slow: { run: slow, isBuilt: true },
  bundles: { run: bundles, isBuilt: false },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    users: { type: 'string' },
    out: { type: 'string' },
  },
})
const names = positionals.length > 0 ? positionals : Object.keys(scenarios)
const unknown = names.filter((name) => !Object.hasOwn(scenarios, name))
if (unknown.length > 0)
  throw new TypeError(
    `there is no scenario ${unknown.join(', ')}; ` +
      `the scenarios are ${Object.keys(scenarios).join(', ')}`,
  )
const effort: Effort = {
  rounds: numberOf(values.rounds, values.quick ? 1 : 5),
  seconds: numberOf(values.seconds, values.quick ? 0.05 : 3),
  quick: values.quick,
  ...(values.users !== undefined && { users: numberOf(values.users, 1) }),
}
const folder = values.out ?? (values.quick ? undefined : resultsFolder)

if (names.some((name) => scenarios[name]!.isBuilt)) build()
for (const name of names) {
  const result: Result = {
    name,
    command: [
      'npm run bench --',
      name,
      ...process.argv.slice(2).filter((arg) => !names.includes(arg)),
    ].join(' '),
    date: new Date().toISOString(),
    machine: describeMachine(),
    ...withNode(await scenarios[name]!.run(effort)),
  }
  console.log(toMarkdown(result, 2))
  if (folder !== undefined) writeResult(result, folder)
}
if (folder === resultsFolder) updateReadme(Object.keys(scenarios))

function withNode(findings: Findings): Findings {
  return { ...findings, versions: { Node: process.versions.node, ...findings.versions } }
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!(value > 0))
    throw new TypeError(`--rounds, --seconds and --users must be above 0; one is ${text}`)
  return value
}

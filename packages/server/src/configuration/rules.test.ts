// Unsafe configurations do not start: tests check each rule with examples, with random
// configurations, and against a predicate. The predicate is written only from the text of the
// standard.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Jwk, JwkSet } from 'keystile/jwt'
import {
  environmentArbitrary,
  optionsArbitrary,
  situationArbitrary,
  type Situation,
} from '../../test-support/rules/configurations.ts'
import { examples, sayings, unlooked } from '../../test-support/rules/examples.ts'
import { predicates, warned } from '../../test-support/rules/predicates.ts'
import { readSettings } from '../cli/settings.ts'
import type { Rule } from '../feature/rule.ts'
import { optionSettings, rules, settings, type RuleOptions } from '../server/features.ts'
import { checkOptions } from '../server/options.ts'
import { examine } from './examination.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const numRuns = process.env['KEYSTILE_LONG'] ? 10_000 : 400

/** The ids of the rules that the situation violates. */
function violatedBy(
  situation: Situation,
  list: readonly Rule<RuleOptions>[] = rules,
): readonly string[] {
  const { stops, warnings } = examine(situation, list)
  return [...new Set([...stops, ...warnings].map(({ rule }) => rule.id))]
}

/**
 * The ids of the rules that must stop a start according to the predicates, not to the rules
 * themselves.
 */
function demandedBy(situation: Situation): readonly string[] {
  return Object.keys(predicates).filter((id) => !warned.has(id) && predicates[id]!(situation))
}

/** Lists the private parts of a JWK or a JWK Set. */
function privatePartsIn(signingKey: Jwk | JwkSet): readonly (string | undefined)[] {
  const jwks = 'keys' in signingKey ? (signingKey as JwkSet).keys : [signingKey]
  return jwks.map(({ d }) => d as string | undefined)
}

describe('the safety rules of the configuration', () => {
  it('each safety rule has a unique id, and has examples and a predicate for these tests', () => {
    const ids = rules.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(Object.keys(examples).toSorted(), ids.toSorted())
    assert.deepEqual(Object.keys(predicates).toSorted(), ids.toSorted())
    for (const { id, severity } of rules)
      assert.equal(severity, warned.has(id) ? 'warn' : 'stop', id)
  })

  for (const [id, { stopped, passed }] of Object.entries(examples)) {
    it(`safety rule ${id} reports each bad example and accepts each good example`, () => {
      const others = rules.filter((rule) => rule.id !== id)
      assert.ok(stopped.length > 0 && passed.length > 0)
      for (const situation of stopped) {
        assert.ok(violatedBy(situation).includes(id), JSON.stringify(situation))
        assert.ok(!violatedBy(situation, others).includes(id))
      }
      for (const situation of passed) {
        assert.ok(!violatedBy(situation).includes(id), JSON.stringify(situation))
        assert.ok(examine(situation, rules).checked.some((rule) => rule.id === id))
      }
    })
  }

  it('examine() does not list a safety rule as checked if a fact for the rule is unknown', () => {
    for (const [id, situations] of Object.entries(unlooked))
      for (const situation of situations)
        assert.ok(
          !examine(situation, rules).checked.some((rule) => rule.id === id),
          `${id}: ${JSON.stringify(situation)}`,
        )
  })

  it('each safety rule reports the fault in the expected words', () => {
    for (const [situation, expected] of sayings) {
      const { stops, warnings } = examine(situation, rules)
      const said = [...stops, ...warnings].map(
        ({ about, message, fix }) => `${about} ${message}. Fix: ${fix}`,
      )
      assert.ok(
        said.some((text) => expected.test(text)),
        said.join('\n'),
      )
    }
  })

  it('each safety rule states the fault and the fix in one line each, without secrets', () => {
    for (const { stopped } of Object.values(examples)) {
      for (const situation of stopped) {
        const { stops, warnings } = examine(situation, rules)
        assert.ok(stops.every(({ rule }) => rule.severity === 'stop'))
        assert.ok(warnings.every(({ rule }) => rule.severity === 'warn'))
        const { key, previousKey, signingKey } = situation.options
        const secrets = [
          key,
          situation.machine?.keyFile?.secret,
          previousKey,
          ...(signingKey ? privatePartsIn(signingKey) : []),
          'hunter2',
        ]
        for (const { about, message, fix } of [...stops, ...warnings]) {
          for (const text of [about, message, fix]) {
            assert.match(text, /^[^\n]+$/)
            for (const secret of secrets)
              assert.ok(secret === undefined || !text.includes(secret), text)
          }
        }
      }
    }
  })

  it('each safety rule names only settings that exist', () => {
    const known = new Set(settings.map(({ name }) => name))
    const naming = (setting: string): string => {
      assert.ok(known.has(setting), `there is no setting "${setting}"`)
      return setting
    }
    const say = { name: naming, set: naming, provide: naming }
    for (const { stopped } of Object.values(examples))
      for (const situation of stopped) examine({ ...situation, say }, rules)
  })

  it(`in ${numRuns} random situations, each safety rule agrees with its test predicate`, () => {
    const seen = new Set<string>()
    const agrees = fc.property(situationArbitrary, (situation) => {
      const found = new Set(violatedBy(situation))
      for (const [id, isViolated] of Object.entries(predicates)) {
        assert.equal(found.has(id), isViolated(situation), id)
        if (found.has(id)) seen.add(id)
      }
    })
    // A rule that is rarely violated may need more than one round.
    for (let round = 0; round < 10 && seen.size < rules.length; round++)
      fc.assert(agrees, { seed: seed + round, numRuns })
    // For a rule that was never violated, this test would prove nothing.
    assert.deepEqual(
      rules.map(({ id }) => id).filter((id) => !seen.has(id)),
      [],
    )
  })
})

describe('checkOptions and the safety rules', () => {
  it(`of ${numRuns} random configurations, checkOptions refuses exactly the unsafe ones`, () => {
    let started = 0
    const isOption = ([name]: [string, unknown]): boolean =>
      optionSettings.some((setting) => setting.name === name)
    fc.assert(
      fc.property(optionsArbitrary, (generated) => {
        const options = Object.fromEntries(
          Object.entries(generated).filter(isOption),
        ) as RuleOptions
        const demanded = demandedBy({ options, unread: new Set() })
        const told = starts(() => checkOptions({ ...options }))
        if (told === undefined) started++
        assert.equal(told === undefined, demanded.length === 0, `${demanded.join()}: ${told}`)
        for (const id of demanded) assert.ok(told!.includes(`(${id}, `), `${id} is named: ${told}`)
      }),
      { seed, numRuns },
    )
    assert.ok(started > 0)
  })
})

describe('keystile serve and the safety rules', () => {
  it(`of ${numRuns} random environments, readSettings accepts exactly the safe ones`, async () => {
    let started = 0
    await fc.assert(
      fc.asyncProperty(environmentArbitrary, async (environment) => {
        const host = environment['KEYSTILE_HOST'] ?? 'localhost'
        const options = {
          issuer: environment['KEYSTILE_ISSUER'] ?? 'http://localhost:8000',
          database: environment['KEYSTILE_DATABASE'] ?? 'data/keystile.db',
          corsOrigins: environment['KEYSTILE_CORS_ORIGINS']?.split(',') ?? [],
          dangerouslyAllowHttpIssuer:
            environment['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'] === 'true',
          ...(environment['KEYSTILE_KEY'] && { key: environment['KEYSTILE_KEY'] }),
          ...(environment['KEYSTILE_REGISTRATION'] && { registration: 'open' as const }),
        }
        const bind = { host, isIssuerGiven: environment['KEYSTILE_ISSUER'] !== undefined }
        const demanded = demandedBy({ options, unread: new Set(), bind })
        const told = await readSettings({}, environment).then(
          () => undefined,
          (error: Error) => error.message,
        )
        if (told === undefined) started++
        assert.equal(told === undefined, demanded.length === 0, `${demanded.join()}: ${told}`)
      }),
      { seed, numRuns },
    )
    assert.ok(started > 0)
  })
})

/** The message of the error that stops a start, or undefined. */
function starts(start: () => unknown): string | undefined {
  try {
    start()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

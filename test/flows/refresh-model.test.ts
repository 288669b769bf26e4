// Runs random histories of one session on Keystile and on a model of the rule for refreshes. A
// history has double sends, lost answers, late retries and a thief's copy. Keystile and the model
// must give the same answers, and at the end the same tokens must be valid.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createTestClock,
  describeOnOne,
  tokensOf,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
/** How many histories run on each database. */
const histories = Number(
  process.env['KEYSTILE_HISTORIES'] ?? (process.env['KEYSTILE_LONG'] ? 100_000 : 60),
)
/**
 * How many histories run at the same time on each database. With only one, the database would be
 * idle too often.
 */
const lanes = 2
const day = 24 * 60 * 60

/**
 * One step of a history. `back` counts tokens from the newest, which is 0, to the first. A higher
 * number means the first.
 */
type Step =
  | { readonly kind: 'show' | 'show twice' | 'wrong secret' | 'revoke'; readonly back: number }
  | { readonly kind: 'revoke access' }
  | { readonly kind: 'wait'; readonly seconds: number }

interface ModelToken {
  next: number | undefined
  answeredUntil: number
}

interface Model {
  /** Seconds since the login. */
  now: number
  ended: boolean
  isAlive(): boolean
  /** Presents a token by its number. Returns the number of the token in the answer. */
  show(number: number): number | 'refused'
}

/** Creates a model of the rule for refreshes. */
function createModel(grace: number): Model {
  const tokens: ModelToken[] = [{ next: undefined, answeredUntil: -1 }]
  let forgivenAt = -Infinity
  let idleSince = 0
  const model: Model = {
    now: 0,
    ended: false,
    isAlive: () => !model.ended && model.now < 30 * day && model.now - idleSince < 14 * day,
    show(number) {
      if (!model.isAlive()) return 'refused'
      const token = tokens[number]!
      if (token.next === undefined) {
        token.next = tokens.push({ next: undefined, answeredUntil: -1 }) - 1
        token.answeredUntil = model.now + grace
      } else if (grace === 0 || tokens[token.next]!.next !== undefined) {
        model.ended = true
      } else if (model.now > token.answeredUntil) {
        if (model.now - forgivenAt < day) model.ended = true
        else {
          forgivenAt = model.now
          token.answeredUntil = model.now + grace
        }
      }
      if (model.ended) return 'refused'
      idleSince = model.now
      return token.next
    },
  }
  return model
}

const back = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.nat(9) },
)
const seconds = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 9, 10, 11) },
  { weight: 3, arbitrary: fc.constantFrom(3_600, day - 1, day, day + 1) },
  { weight: 1, arbitrary: fc.constantFrom(14 * day - 1, 14 * day) },
)
const stepOf = (kind: 'show' | 'show twice' | 'wrong secret' | 'revoke'): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constant(kind), back })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: stepOf('show') },
  { weight: 4, arbitrary: stepOf('show twice') },
  { weight: 1, arbitrary: stepOf('wrong secret') },
  { weight: 1, arbitrary: stepOf('revoke') },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'revoke access' }) },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds }) },
)

/** Runs a history on Keystile and compares each answer with the model. */
async function run(
  { keystile, refresh, send }: TestKeystile,
  {
    steps,
    grace,
    subject,
    clock,
  }: { steps: readonly Step[]; grace: number; subject: string; clock: TestClock },
): Promise<void> {
  const model = createModel(grace)
  const first = await keystile.sessions.create({ subject })
  const tokens = [first.refreshToken]
  let access = first.accessToken
  let accessUntil = 600
  // A verifier allows 5 s of difference between clocks.
  const isGoodByModel = (): boolean => !model.ended && model.now < accessUntil + 5
  const indexOf = (back: number): number => Math.max(0, tokens.length - 1 - back)

  async function show(index: number, times: 1 | 2): Promise<void> {
    const expected = Array.from({ length: times }, () => model.show(index))
    const answers = await Promise.all(expected.map(() => refresh(tokens[index]!)))
    for (const { status, text } of answers) assert.ok(status === 200 || status === 400, text)
    const good = answers.filter(({ status }) => status === 200).map(({ json }) => tokensOf(json))
    const numbers = expected.filter((number) => number !== 'refused')
    assert.equal(good.length, numbers.length)
    for (const [i, { refreshToken, accessToken }] of good.entries()) {
      tokens[numbers[i]!] ??= refreshToken
      assert.equal(refreshToken, tokens[numbers[i]!])
      access = accessToken
      accessUntil = Math.min(model.now + 600, 30 * day)
    }
    assert.equal(new Set(tokens).size, tokens.length)
  }

  for (const step of steps) {
    switch (step.kind) {
      case 'wait':
        clock.advance(step.seconds)
        model.now += step.seconds
        break
      case 'show':
        await show(indexOf(step.back), 1)
        break
      case 'show twice':
        await show(indexOf(step.back), 2)
        break
      case 'wrong secret': {
        const [id] = tokens[indexOf(step.back)]!.split('.')
        assert.equal((await refresh(`${id}.${'A'.repeat(43)}`)).status, 400)
        break
      }
      case 'revoke':
        assert.equal(
          (await send('POST', '/revoke', { form: { token: tokens[indexOf(step.back)]! } })).status,
          200,
        )
        model.ended = true
        break
      default:
        assert.equal((await send('POST', '/revoke', { form: { token: access } })).status, 200)
        if (isGoodByModel()) model.ended = true
    }
    const isGood = await keystile.verifier.verify(access).then(
      () => true,
      () => false,
    )
    assert.equal(isGood, isGoodByModel())
  }
  if (model.isAlive()) await show(tokens.length - 1, 1)
}

describe('the rules for refreshes, compared with a model', { concurrency: 2 * lanes }, () => {
  for (let lane = 0; lane < lanes; lane++) runHistories(seed + lane, Math.ceil(histories / lanes))
})

function runHistories(seed: number, numRuns: number): void {
  describeOnOne('PostgreSQL', 'random histories of refreshes', (stage) => {
    it(`${numRuns} random refresh histories match a model (KEYSTILE_SEED=${seed})`, async () => {
      const clock = createTestClock()
      const graced = await stage.start({ clock })
      const strict = await stage.start({ clock, graceSeconds: 0 })
      const subject = await graced.addUser()
      const history = fc.record({
        steps: fc.array(step, { minLength: 1, maxLength: 14 }),
        grace: fc.oneof(
          { weight: 5, arbitrary: fc.constant(10) },
          { weight: 1, arbitrary: fc.constant(0) },
        ),
      })
      const property = fc.asyncProperty(history, ({ steps, grace }) =>
        run(grace === 0 ? strict : graced, { steps, grace, subject, clock }),
      )
      // Both databases run the same code, so each gets different histories.
      await fc.assert(property, { seed: stage.kind === 'SQLite' ? seed : seed + lanes, numRuns })
    })
  })
}

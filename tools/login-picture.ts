// Draws docs/pictures/login.svg: the states of a login attempt. The states are those of the type
// `LoginOutcome`, and the methods those of the list `methods`: a new state does not compile until it
// is described here.
//
//   node --conditions=source tools/login-picture.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoginOutcome } from '../packages/server/src/features/sign-in/login/login.ts'
import { methods } from '../packages/server/src/features/sign-in/login/methods.ts'

interface State {
  readonly title: string
  /** When an attempt gets here, above the arrow. */
  readonly when: string
  readonly answer: string
  readonly meaning: string
  readonly isRefusal?: boolean
}

const states: Readonly<Record<LoginOutcome['outcome'], State>> = {
  granted: {
    title: 'Session',
    when: 'enough is proved',
    answer: '200 with tokens',
    meaning: 'One transaction spends the proofs and starts it',
  },
  code: {
    title: 'Code',
    when: 'enough, at the challenge endpoint',
    answer: '200 with authorization_code',
    meaning: 'Exchanged within a minute for the session',
  },
  next: {
    title: 'Waiting',
    when: 'a proof is missing',
    answer: '403 insufficient_authorization with methods',
    meaning: 'Stored for ten minutes and five tries',
  },
  enrol: {
    title: 'Enrolment',
    when: 'a factor is required, none exists',
    answer: '403 insufficient_authorization with enrol',
    meaning: 'The user sets up an app within the attempt',
  },
  refused: {
    title: 'Refused',
    when: 'a proof is wrong',
    answer: '400 invalid_grant',
    meaning: 'A stored attempt goes on until its tries are used up',
    isRefusal: true,
  },
  unmet: {
    title: 'Unmet',
    when: 'mfa is demanded, no factor exists',
    answer: '400 unmet_authentication_requirements',
    meaning: 'The user must set up a factor first',
    isRefusal: true,
  },
  over: {
    title: 'Over',
    when: 'expired, used, or changed',
    answer: '400 invalid_session',
    meaning: 'The user logs in from the start',
    isRefusal: true,
  },
}

const rows: readonly State[] = Object.values(states)
const rowHeight = 104
const height = rows.length * rowHeight + 24
const alt = 'The states of a login attempt, and the answer in each state'

/** Returns the picture, with the look of the other pictures. */
export function drawLogin(): string {
  const namesOf = (isSecond: boolean): readonly string[] =>
    methods
      .filter(({ secondStep }) => (secondStep !== undefined) === isSecond)
      .map(({ name }) => name)
  const lines = ['first step:', ...namesOf(false), 'second step:', ...namesOf(true)]
  const top = height / 2 - 70
  const attempt = [
    text(140, top, 'Attempt', 'b'),
    text(140, top + 26, 'what is asked for, and what is proved', 's'),
    ...lines.map((line, i) =>
      text(140, top + 60 + i * 24, line, line.endsWith(':') ? 's' : undefined),
    ),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${height}" width="860" height="${height}" role="img" aria-label="${alt}">`,
    lookOf('refresh.svg'),
    `<rect class="box" x="20" y="20" width="240" height="${height - 40}" rx="6"/>`,
    ...attempt,
    ...rows.flatMap(drawState),
    '</svg>',
    '',
  ].join('\n')
}

function drawState({ title, when, answer, meaning, isRefusal }: State, index: number): string[] {
  const top = 20 + index * rowHeight
  const middle = top + 40
  const [line, colour] = isRefusal ? ['r', 'red'] : ['a', '']
  const back = [
    `<path class="a" stroke-dasharray="4 4" d="M500 ${middle + 22}L260 ${middle + 22}"/>`,
    text(380, middle + 40, 'auth_session and a proof', 's'),
  ]
  return [
    `<path class="${line}" d="M260 ${middle}L500 ${middle}"/>`,
    text(380, middle - 8, when, 's'),
    ...([states.next.title, states.enrol.title].includes(title) ? back : []),
    `<rect class="box" x="500" y="${top}" width="340" height="84" rx="6"/>`,
    text(670, top + 26, title, `b ${colour}`.trim()),
    text(670, top + 48, answer),
    text(670, top + 70, meaning, 's'),
  ]
}

function text(x: number, y: number, content: string, look = ''): string {
  return `<text x="${x}" y="${y}" text-anchor="middle" class="${look}">${content}</text>`
}

/** Returns the styles and arrow heads of another picture. */
function lookOf(name: string): string {
  const picture = readFileSync(join(pictures, name), 'utf8')
  return picture.slice(picture.indexOf('<style>'), picture.indexOf('</defs>') + '</defs>'.length)
}

const pictures = join(import.meta.dirname, '../docs/pictures')

if (import.meta.main) writeFileSync(join(pictures, 'login.svg'), drawLogin())

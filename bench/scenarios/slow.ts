// Measures how fast an ordinary client gets answers while hostile clients are connected: a thousand
// slow clients, ten thousand idle clients, or clients that send 1,700 requests before they read the
// answers.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSlowClients, type Slowness } from '../../packages/server/test-support/slow-clients.ts'
import { withTemporaryFolder } from '../folder.ts'
import { createAnswerReader, requestBytes } from '../load.ts'
import type { Effort } from '../measure.ts'
import { residentMebibytes, startServer } from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { standAlone } from '../stand-alone.ts'
import { summarize } from '../statistics.ts'

const everyMilliseconds = 20
const patienceMilliseconds = 5_000

interface Crowd {
  readonly slowness: Slowness
  readonly count: number
}

const crowds: readonly Crowd[] = [
  { slowness: 'slow headers', count: 1_000 },
  { slowness: 'slow bodies', count: 1_000 },
  { slowness: 'slow readers', count: 1_000 },
  { slowness: 'pipelining', count: 250 },
  { slowness: 'idle', count: 10_000 },
]

interface Seen {
  readonly milliseconds: readonly number[]
  readonly mebibytes: number
}

export async function slow(effort: Effort): Promise<Findings> {
  const seconds = effort.quick ? 1 : 20
  const share = effort.quick ? 0.01 : 1
  const seen: { readonly crowd: Crowd; readonly seen: Seen }[] = []
  for (const { slowness, count } of crowds) {
    const crowd = { slowness, count: Math.ceil(count * share) }
    await withTemporaryFolder(async (folder) => {
      const server = await startServer(standAlone(folder), '/healthz')
      try {
        seen.push({ crowd, seen: await measure(crowd, server, seconds) })
      } finally {
        await server.stop()
      }
    })
  }
  const rows: readonly Row[] = seen.map(({ crowd, seen: { milliseconds, mebibytes } }) => ({
    name: `${crowd.count} ${crowd.slowness}`,
    cells: [summarize([percentile(milliseconds, 95)]), summarize([mebibytes])],
  }))
  const worst = Math.max(...seen.map(({ seen: { milliseconds } }) => percentile(milliseconds, 95)))
  return {
    title: 'Slow senders and readers',
    method:
      `The built server with clients that never finish, for ${seconds} s each; every ` +
      `${everyMilliseconds} ms one more client connects and asks for its keys, and every ` +
      'one of them is answered.',
    versions: {},
    table: {
      columns: ['clients', 'answer to others, p95, ms', 'resident memory at most, MiB'],
      rows,
    },
    bars: [
      { promise: 'answer to others, p95, ms', measured: worst, atMost: 100 },
      {
        promise: 'resident memory, MiB',
        measured: Math.max(...seen.map(({ seen: { mebibytes } }) => mebibytes)),
        atMost: 400,
      },
    ],
    skipped: [],
    plot: {
      title: 'Resident memory with clients that never finish',
      unit: 'MiB, at most',
      groups: [
        {
          name: 'Less is better',
          items: seen.map(({ crowd, seen: { mebibytes } }) => ({
            name: `${crowd.count} ${crowd.slowness}`,
            value: summarize([mebibytes]),
            isOurs: true,
          })),
        },
      ],
    },
  }
}

async function measure(
  { slowness, count }: Crowd,
  { port, pid }: { readonly port: number; readonly pid: number },
  seconds: number,
): Promise<Seen> {
  const clients = await startSlowClients(slowness, { port, count })
  try {
    const milliseconds: number[] = []
    let mebibytes = 0
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      milliseconds.push(await ask(port))
      mebibytes = Math.max(mebibytes, residentMebibytes(pid))
      await sleep(everyMilliseconds)
    }
    return { milliseconds, mebibytes }
  } finally {
    clients.close()
  }
}

/**
 * Returns the milliseconds from connecting to the whole answer. @throws {Error} without an answer
 * of 200
 */
function ask(port: number): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const reader = createAnswerReader(200)
    const socket = connect({ host: '127.0.0.1', port }, () =>
      socket.write(requestBytes('GET /.well-known/jwks.json')),
    )
    socket.setTimeout(patienceMilliseconds, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk: Buffer) => {
      if (!reader.isWhole(chunk)) return
      socket.destroy()
      resolve(performance.now() - startedAt)
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without an answer')))
  })
}

function percentile(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1]!
}

// Measures the time from the start of the built server to its first answer, and the memory of the
// idle server.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { withTemporaryFolder } from '../folder.ts'
import { createAnswerReader, requestBytes } from '../load.ts'
import type { Effort } from '../measure.ts'
import { freePort, residentMebibytes, spawnProgram, stopProcess } from '../process.ts'
import type { Findings } from '../result.ts'
import { standAlone } from '../stand-alone.ts'
import { summarize } from '../statistics.ts'

const idleSeconds = 2
const patienceSeconds = 20

interface Start {
  readonly milliseconds: number
  readonly mebibytes: number
}

export async function start(effort: Effort): Promise<Findings> {
  const runs = effort.quick ? 1 : Math.max(10, effort.rounds)
  const [first, again, withoutPages]: [Start[], Start[], Start[]] = [[], [], []]
  for (let run = 0; run < runs; run++) {
    await withTemporaryFolder(async (folder) => {
      first.push(await measureStart(folder))
      again.push(await measureStart(folder))
      withoutPages.push(await measureStart(folder, { KEYSTILE_LOGIN_PAGES: 'off' }))
    })
  }
  const milliseconds = summarize(again.map((run) => run.milliseconds))
  const mebibytes = summarize(again.map((run) => run.mebibytes))
  const offMilliseconds = summarize(withoutPages.map((run) => run.milliseconds))
  const firstMilliseconds = summarize(first.map((run) => run.milliseconds))
  return {
    title: 'Start and memory',
    method:
      `The built server, ${runs} times: milliseconds from its spawn to the first 200 at ` +
      `/healthz, and the memory it keeps resident ${idleSeconds} s later. The first start ` +
      'in a folder creates the database and the keys; a later start finds them.',
    versions: {},
    table: {
      columns: ['start', 'to the first 200, ms', 'resident memory, MiB'],
      rows: [
        { name: 'on a database that is there', cells: [milliseconds, mebibytes] },
        {
          name: 'on a database that is there, with `loginPages: off`',
          cells: [offMilliseconds, summarize(withoutPages.map((run) => run.mebibytes))],
        },
        {
          name: 'in an empty folder',
          cells: [firstMilliseconds, summarize(first.map((run) => run.mebibytes))],
        },
      ],
    },
    bars: [
      { promise: 'to the first 200, ms', measured: milliseconds.median, atMost: 200 },
      { promise: 'resident memory, MiB', measured: mebibytes.median, atMost: 110 },
    ],
    skipped: [],
    plot: {
      title: 'From spawn to the first 200',
      unit: 'ms, median and spread',
      groups: [
        {
          name: 'Less is better',
          items: [
            { name: 'on a database that is there', value: milliseconds, isOurs: true },
            { name: 'in an empty folder', value: firstMilliseconds, isOurs: true },
          ],
        },
      ],
    },
  }
}

async function measureStart(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Start> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawnProgram(standAlone(folder, env), port)
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  try {
    while (!(await isAnswering(port))) {
      if (child.exitCode !== null || performance.now() - startedAt > patienceSeconds * 1000)
        throw new Error(`keystile serve does not answer: ${stderr}`)
      await sleep(1)
    }
    const milliseconds = performance.now() - startedAt
    await sleep(idleSeconds * 1000)
    return { milliseconds, mebibytes: residentMebibytes(child.pid!) }
  } finally {
    await stopProcess(child)
  }
}

/**
 * Returns whether a request is answered with 200. It uses a socket, because the first `fetch` would
 * add its own start.
 */
function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const reader = createAnswerReader(200)
    const socket = connect({ host: '127.0.0.1', port }, () =>
      socket.write(requestBytes('GET /healthz')),
    )
    socket.on('data', (chunk: Buffer) => {
      if (!reader.isWhole(chunk)) return
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })
}

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { changesOf, checkGuard } from './guard-check.ts'
import { createAnswerReader, inTurn, onceEach, openLoad, requestBytes } from './load.ts'
import { freePort, nodeProgram, startServer } from './process.ts'
import { openProfiler, profiled, sharesOf } from './profiler.ts'
import type { Result } from './result.ts'
import { summarize } from './statistics.ts'

const skip =
  process.platform === 'linux'
    ? false
    : 'processor time a request is read from /proc, which only Linux has'

describe('npm run bench -- --quick', { skip }, () => {
  const scenarios: readonly (readonly [scenario: string, rows: number])[] = [
    ['verify', 4],
    ['bundles', 9],
    // They start twenty servers, which takes a minute of processor time. And `cached` needs quiet:
    // its verifiers get no heartbeats while they measure.
    ...(process.env['KEYSTILE_LONG']
      ? [
          ['cached', 4] as const,
          ['guards', 18] as const,
          ['tokens', 12] as const,
          ['users', 11] as const,
          ['profile', 18] as const,
          ['scale', 30] as const,
        ]
      : []),
  ]
  for (const [scenario, rows] of scenarios) {
    const onQuiet = scenario === 'cached' ? ', on a quiet machine,' : ''
    it(`npm run bench measures ${scenario}${onQuiet} and writes a table and a plot`, async () => {
      const out = mkdtempSync(join(tmpdir(), 'keystile-bench-test-'))
      try {
        // Linux counts processor time in steps of 10 ms, so a shorter measurement may show none.
        const printed = await bench([scenario, '--quick', '--seconds', '0.2', '--out', out])
        const read = (extension: string): string =>
          readFileSync(join(out, `${scenario}.${extension}`), 'utf8')
        const result = JSON.parse(read('json')) as Result
        assert.ok(result.table.rows.length >= rows, read('json'))
        for (const { name, cells } of result.table.rows) {
          assert.ok(printed.includes(`| ${name} |`), `${name} is printed`)
          for (const cell of cells)
            assert.ok(cell === null || Number.isFinite(cell.median), `${name} was measured`)
        }
        assert.ok(result.bars.every(({ measured }) => Number.isFinite(measured)))
        assert.match(read('md'), /^# .+\n/)
        assert.match(read('svg'), /^<svg [\s\S]*<rect [\s\S]*<\/svg>\n$/)
      } finally {
        rmSync(out, { recursive: true })
      }
    })
  }
})

describe('checkGuard', () => {
  const credential = { field: 'authorization', value: 'Bearer aaaa.bbbb.cccc' } as const
  const table: readonly (readonly [string, RequestListener, RegExp | undefined])[] = [
    [
      'checkGuard passes a guard that knows the credential',
      (request, response) => answer(response, isRight(request)),
      undefined,
    ],
    [
      'checkGuard refuses a guard that admits every request',
      (_request, response) => answer(response, true),
      /must refuse a request without a credential/,
    ],
    [
      'checkGuard refuses a guard that checks only a part of the credential',
      (request, response) =>
        answer(response, /aaaa\.bbbb/.test(request.headers.authorization ?? '')),
      /must refuse the credential Bearer aaaa\.bbbb\.ccac/,
    ],
    [
      'checkGuard refuses a guard that admits no request',
      (_request, response) => answer(response, false),
      /must accept the right credential/,
    ],
  ]
  const isRight: (request: Parameters<RequestListener>[0]) => boolean = (request) =>
    request.headers.authorization === credential.value
  const answer = (response: Parameters<RequestListener>[1], isIn: boolean): void =>
    void response.writeHead(isIn ? 200 : 401, { connection: 'close' }).end()

  for (const [title, listener, fault] of table) {
    it(title, async () => {
      await withServer(listener, async (port) => {
        const check = checkGuard(`http://127.0.0.1:${port}/`, credential)
        if (fault) await assert.rejects(check, fault)
        else await check
      })
    })
  }

  it('changesOf changes one part of a credential at a time, but never inside a %-escape', () => {
    assert.deepEqual(changesOf('Bearer aaa.bbb'), ['Bearer aba.bbb', 'Bearer aaa.bab'])
    assert.deepEqual(changesOf('sid=xxx.%2B%2Fzzz'), ['sid=xax.%2B%2Fzzz', 'sid=xxx.%2B%2Fazz'])
  })
})

describe('openLoad', () => {
  it('openLoad counts the answers of all connections, and stops after the given time', async () => {
    await withServer(
      (_request, response) => void response.writeHead(200, { 'content-length': 2 }).end('ok'),
      async (port) => {
        const load = await openLoad({ port, connections: 4 })
        const run = { next: inTurn([requestBytes('GET /')]), expect: 200 }
        const { answered } = await load.run({ ...run, seconds: 0.1 })
        assert.ok(answered >= 4, String(answered))
        await assert.rejects(
          load.run({ ...run, seconds: 0.1, expect: 204 }),
          /the status of an answer must be 204; the answer is HTTP\/1\.1 200/,
        )
        load.close()
      },
    )
  })

  it('with onceEach(), openLoad sends each request once and fails after the last one', async () => {
    const sent: (string | undefined)[] = []
    await withServer(
      (request, response) => {
        sent.push(request.url)
        response.writeHead(200, { 'content-length': 0 }).end()
      },
      async (port) => {
        const load = await openLoad({ port, connections: 1 })
        const next = onceEach([requestBytes('GET /1'), requestBytes('GET /2')])
        await assert.rejects(
          load.run({ next, seconds: 5, expect: 200 }),
          /all 2 requests were sent/,
        )
        load.close()
      },
    )
    assert.deepEqual(sent, ['/1', '/2'])
  })

  it('openLoad refuses to open 1,000 connections', async () => {
    await assert.rejects(openLoad({ port: 1, connections: 1_000 }), RangeError)
  })

  it('createAnswerReader reads an answer that arrives in several pieces', () => {
    const reader = createAnswerReader(200)
    const pieces = [
      'HTTP/1.1 200 OK\r\nContent-Len',
      'gth: 4\r\n\r',
      '\nab',
      'cd',
      'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    ]
    assert.deepEqual(
      pieces.map((piece) => reader.isWhole(Buffer.from(piece))),
      [false, false, false, true, true],
    )
    assert.throws(
      () => reader.isWhole(Buffer.from('HTTP/1.1 401 Unauthorized\r\n\r\n')),
      /must be 200; the answer is/,
    )
  })
})

describe('openProfiler', { skip }, () => {
  it('openProfiler profiles a server while the server answers requests', async () => {
    const inspectorPort = await freePort()
    const program = nodeProgram(join(import.meta.dirname, 'servers', 'empty-fastify.ts'))
    const server = await startServer(profiled(program, inspectorPort))
    const load = await openLoad({ port: server.port, connections: 4 })
    const profiler = await openProfiler(inspectorPort)
    try {
      const run = { next: inTurn([requestBytes('GET /open')]), seconds: 0.3, expect: 200 }
      const { keystile, framework, node, garbage } = await profiler.during(() => load.run(run))
      assert.equal(keystile, 0, 'this server has no guard')
      assert.ok(node > 0)
      assert.ok(Math.abs(keystile + framework + node + garbage - 1) < 1e-9)
    } finally {
      profiler.close()
      load.close()
      await server.stop()
    }
  })
})

describe('sharesOf', () => {
  const ours = pathToFileURL(join(import.meta.dirname, '../packages/keystile/src/hono.ts')).href
  const frames: readonly (readonly [functionName: string, url: string, children?: number[]])[] = [
    ['(root)', '', [1, 2, 3, 4]],
    ['(program)', ''],
    ['(idle)', ''],
    ['(garbage collector)', ''],
    ['onRequest', 'node:_http_server', [5]],
    ['dispatch', 'file:///app/node_modules/hono/dist/compose.js', [6]],
    ['find', ours, [7]],
    ['get', ''],
  ]
  const nodes = frames.map(([functionName, url, children = []], id) => {
    const place = { url, scriptId: '0', lineNumber: 0, columnNumber: 0 }
    return { id, callFrame: { functionName, ...place }, children }
  })
  const profileOf = (samples: number[]): Parameters<typeof sharesOf>[0] => {
    return { nodes, startTime: 0, endTime: 0, samples, timeDeltas: samples.map((id) => id * 100) }
  }

  it('sharesOf counts native functions as part of the calling code, and omits idle samples', () => {
    const busy = [1, 3, 4, 5, 5, 6, 7, 7]
    assert.deepEqual(sharesOf(profileOf([...busy, 2, 2, 2])), {
      keystile: 3 / 8,
      framework: 2 / 8,
      node: 2 / 8,
      garbage: 1 / 8,
    })
  })

  it('sharesOf refuses the CPU profile of a server that only waited', () => {
    assert.throws(() => sharesOf(profileOf([2, 2])), /no code ran/)
  })
})

describe('summarize', () => {
  it('summarize finds the median, the lowest and the highest value', () => {
    assert.deepEqual(summarize([3, 1, 2]), { median: 2, lowest: 1, highest: 3 })
    assert.deepEqual(summarize([4, 1, 2, 3]), { median: 2.5, lowest: 1, highest: 4 })
    assert.throws(() => summarize([]), RangeError)
  })
})

async function bench(args: readonly string[]): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, 'main.ts'), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const exited = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  await exited
  assert.equal(child.exitCode, 0, stderr)
  return stdout
}

async function withServer(
  listener: RequestListener,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  try {
    await use(address.port)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

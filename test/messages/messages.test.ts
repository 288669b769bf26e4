// Tests the messages for wrong configurations and wrong uses.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createKeystile } from '@keystile/server'
import { mount as mountInExpress } from 'keystile/express'
import { mount as mountInFastify } from 'keystile/fastify'
import { mount as mountInHono } from 'keystile/hono'
import { mount as mountInNode } from 'keystile/node'
import { mount as mountInWeb } from 'keystile/web'
import pg from 'pg'
import {
  createTestDatabase,
  howToGetPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { writeMessages } from '../../tools/messages-page.ts'
import { messageOf, secretMark, wrongUses } from './wrong-uses.ts'

const root = join(import.meta.dirname, '../..')
const key = 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a'
const openOn = (database: string): Promise<unknown> =>
  createKeystile({
    issuer: 'http://localhost:3000',
    database,
    key,
    dangerouslyAllowLostCommits: true,
  })

describe('the messages for mistakes in the use of Keystile', () => {
  const all = wrongUses.flatMap(({ uses }) => uses)

  it('docs/reference/messages.md shows the message for each mistake', async () => {
    const page = readFileSync(join(root, 'docs/reference/messages.md'), 'utf8')
    const how = 'run: node --conditions=source tools/messages-page.ts'
    assert.equal(page, await writeMessages(), how)
    assert.ok(all.length >= 40, String(all.length))
  })

  it('each message in messages.md says what to change and contains no secret', async () => {
    for (const use of all) {
      const said = await messageOf(use)
      assert.match(
        said,
        /must |takes |needs |Fix: |fix: |no default|not declared|leave it out|pass |put guard|did you mean |its options are/,
      )
      assert.ok(!said.includes(secretMark), said)
    }
  })
})

describe('the messages for PostgreSQL', () => {
  it('if PostgreSQL cannot be reached, the error names the host and the cause', async () => {
    const fix = 'Fix: start PostgreSQL there, or correct host and port in the URL$'
    for (const host of ['127.0.0.1', 'localhost'])
      await assert.rejects(
        openOn(`postgres://app:${secretMark}@${host}:1/app`),
        new RegExp(`PostgreSQL at ${host}:1/app cannot be opened: connect ECONNREFUSED .*${fix}`),
      )
    await assert.rejects(
      openOn(`postgres://app:${secretMark}@nosuch.invalid/app`),
      /PostgreSQL at nosuch\.invalid\/app .*(ENOTFOUND|EAI_AGAIN) .*Fix: correct the host in the URL$/,
    )
  })

  it(
    'if a database right or the database is missing, the error says how to fix this',
    { skip: process.env['KEYSTILE_TEST_DATABASE_URL'] ? false : howToGetPostgres },
    async () => {
      const database = await createTestDatabase()
      assert.ok(database, howToGetPostgres)
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      try {
        await client.query(`drop role if exists keystile_reader`)
        await client.query(`create role keystile_reader login password '${secretMark}'`)
        const url = new URL(database.url)
        url.username = 'keystile_reader'
        url.password = secretMark
        await assert.rejects(
          openOn(url.href),
          /permission denied for database .*Fix: .*"grant create on database DATABASE to ROLE"/,
        )
        const elsewhere = new URL(database.url)
        elsewhere.pathname = '/nosuch'
        await assert.rejects(
          openOn(elsewhere.href),
          /Fix: create the database, or correct its name/,
        )
      } finally {
        await client.query(`drop role if exists keystile_reader`)
        await client.end()
        await database.drop()
      }
    },
  )

  it('if the package pg is missing, the error says how to install it', async () => {
    const hook = `import { registerHooks } from 'node:module'
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier !== 'pg') return next(specifier, context)
          const error = new Error("Cannot find package 'pg'")
          throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
        },
      })`
    const args = ['serve', '--database', `postgres://app:${secretMark}@127.0.0.1:1/app`]
    const child = spawn(
      process.execPath,
      [
        '--conditions=source',
        '--import',
        `data:text/javascript,${encodeURIComponent(hook)}`,
        join(root, 'packages/keystile/src/cli/main.ts'),
        ...args,
      ],
      { env: { PATH: process.env['PATH'], KEYSTILE_KEY: key } },
    )
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
    assert.equal(child.exitCode, 1)
    assert.equal(
      stderr,
      'keystile: the package pg must be installed for a database on PostgreSQL. ' +
        'Fix: npm install pg\n',
    )
  })
})

describe('mount() without await', () => {
  const mounts = { mountInExpress, mountInFastify, mountInHono, mountInNode, mountInWeb }
  for (const [name, mount] of Object.entries(mounts)) {
    it(`${name}() throws a TypeError if it gets the promise of createKeystile()`, async () => {
      const opening = createKeystile({ issuer: 'http://localhost:3000', database: ':memory:' })
      try {
        assert.throws(
          // @ts-expect-error: a promise is not what createKeystile resolves to
          () => mount(opening),
          /^TypeError: .*Fix: mount\(await createKeystile\(…\)\)$/,
        )
      } finally {
        await (await opening).close()
      }
    })
  }
})

it('no refusal has a character that RFC 6749 §5.2 and RFC 6750 §3 exclude from error_description', () => {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
    .map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }))
    .filter(({ source }) => /new (OAuth|Problem)Error\(|tokenReasons: /.test(source))
  const wrong = files.flatMap(({ file, source }) =>
    [...source.matchAll(/'[^'\n]*(?:"|\\\\)[^'\n]*'/g)].map(([text]) => `${file}: ${text}`),
  )
  assert.ok(files.length > 40, String(files.length))
  assert.deepEqual(wrong, [])
})

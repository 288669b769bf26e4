// The workflows run only on GitHub. This test checks only that their commands exist.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')

it('the npm scripts and files that a workflow runs exist in this repository', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const commands = globSync('.github/workflows/*.yml', { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^ *- run: (.+)$/gm)].map(
      ([, command = '']) => command,
    ),
  )
  assert.ok(commands.length >= 8, commands.join('\n'))

  for (const command of commands) {
    const [, script] = /^npm (?:run )?(\w+)$/.exec(command) ?? []
    const [, file] = /^(?:node|bash) (\S+)/.exec(command) ?? []
    const known =
      (script && (script === 'ci' || scripts[script])) ||
      (file && existsSync(join(root, file))) ||
      /^(?:apt-get|npm publish) /.test(command)
    assert.ok(known, command)
  }
})

it('the job that may publish runs no code of the repository and of its dependencies', () => {
  const { jobs } = parse(readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')) as {
    readonly jobs: Readonly<
      Record<
        string,
        {
          readonly permissions?: Readonly<Record<string, string>>
          readonly steps: readonly { readonly run?: string }[]
        }
      >
    >
  }
  const publishing = Object.values(jobs).filter(({ permissions = {} }) => 'id-token' in permissions)
  assert.equal(publishing.length, 1)
  const commands = publishing.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
  for (const command of commands) assert.match(command, /^npm publish \.\/tarballs\//)
})

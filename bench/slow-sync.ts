// Makes the disk slow for one process.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Program } from './process.ts'

export const syncMilliseconds = 5

/**
 * Compiles the library that makes syncs slow. @returns the library, or the reason why there is none
 */
export function buildSlowSync(
  folder: string,
): { readonly library: string } | { readonly reason: string } {
  const library = join(folder, 'slow-sync.so')
  const source = join(import.meta.dirname, 'slow-sync.c')
  const { status, stderr, error } = spawnSync(
    'cc',
    ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'],
    {
      encoding: 'utf8',
    },
  )
  const reason = `a disk that takes ${syncMilliseconds} ms a sync:`
  if (status !== 0)
    return { reason: `${reason} there is no C compiler, cc: ${error?.message ?? stderr.trim()}` }
  const slow = milliseconds({ LD_PRELOAD: library })
  if (slow < syncMilliseconds)
    return { reason: `${reason} LD_PRELOAD does not reach SQLite, a commit takes ${slow} ms` }
  return { library }
}

export function onSlowDisk(program: Program, library: string): Program {
  return { ...program, env: { ...program.env, LD_PRELOAD: library } }
}

/** Returns how long the fastest of three commits takes in a new process. */
function milliseconds(env: Readonly<Record<string, string>>): number {
  const script = `
    const path = require('node:path').join(require('node:os').tmpdir(), 'keystile-sync-')
    const folder = require('node:fs').mkdtempSync(path)
    const db = new (require('node:sqlite').DatabaseSync)(folder + '/db')
    db.exec('pragma journal_mode = wal; pragma synchronous = full; create table t (n)')
    const times = [1, 2, 3].map((n) => {
      const start = performance.now()
      db.exec('insert into t values (1)')
      return performance.now() - start
    })
    db.close()
    require('node:fs').rmSync(folder, { recursive: true })
    console.log(Math.min(...times))`
  return Number(spawnSync(process.execPath, ['--eval', script], { env, encoding: 'utf8' }).stdout)
}

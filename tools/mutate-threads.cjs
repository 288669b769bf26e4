// Tells StrykerJS which mutants the worker threads of a test reach. Its own hook counts only those
// of the main thread, so a mutant in a thread would count as reached by no test. Each thread writes
// its counts to a file, and the main thread adds them to the file that the hook has written.
'use strict'
const { readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const threads = require('node:worker_threads')

const file = `stryker-output-${process.pid}.json`

// Only the first run, without a mutant, counts.
if (process.env.STRYKER_DRY_RUN === 'true') {
  if (threads.isMainThread) countThreads()
  else writeCounts()
}

function countThreads() {
  const { Worker } = threads
  threads.Worker = class extends Worker {
    constructor(program, options = {}) {
      const { execArgv = process.execArgv } = options
      super(program, { ...options, execArgv: [...execArgv, '--require', __filename] })
    }
  }
  syncBuiltinESMExports()

  // This listener runs after that of the hook, because the hook is loaded first.
  process.on('exit', () => {
    const found = JSON.parse(readFileSync(file, 'utf8'))
    const covered = ((found.mutantCoverage ??= { static: {}, perTest: {} }).static ??= {})
    for (const name of readdirSync('.').filter((name) => name.startsWith(`${file}.`))) {
      const counts = JSON.parse(readFileSync(name, 'utf8'))
      for (const [id, count] of Object.entries(counts)) covered[id] = (covered[id] ?? 0) + count
      rmSync(name)
    }
    writeFileSync(file, JSON.stringify(found))
  })
}

function writeCounts() {
  const write = () => {
    const counts = globalThis.__stryker__?.mutantCoverage?.static
    if (counts) writeFileSync(`${file}.${threads.threadId}`, JSON.stringify(counts))
  }
  // A thread that is terminated gets no `exit` event.
  setInterval(write, 100).unref()
  process.on('exit', write)
}

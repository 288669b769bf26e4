// Tells StrykerJS which mutants the worker threads of a test reach. Its own hook counts only those
// of the main thread, so a mutant in a thread would count as covered by no test. Each thread writes
// its counts to a file, and the main thread adds them to the file that the hook has written.
'use strict'
const { readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { isMainThread, threadId } = require('node:worker_threads')

const isFirstRun = process.env.STRYKER_DRY_RUN === 'true'
const file = `stryker-output-${process.pid}.json`

if (isFirstRun && !isMainThread) {
  const write = () => {
    const { mutantCoverage } = globalThis.__stryker__
    if (mutantCoverage) writeFileSync(`${file}.${threadId}`, JSON.stringify(mutantCoverage.static))
  }
  // A thread that is terminated gets no `exit` event.
  setInterval(write, 100).unref()
  process.on('exit', write)
}

// This listener runs after that of the hook, because the hook is loaded first.
if (isFirstRun && isMainThread) {
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

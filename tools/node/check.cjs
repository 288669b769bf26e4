'use strict'
// Preloaded by the scripts of package.json: where npm was told to run no "pre" scripts, ensure.cjs has not run, and
// Node's own complaint about TypeScript would help nobody. Runs on Node 12.
const { isNewEnough, oldest } = require('./version.cjs')

if (!isNewEnough(process.versions.node)) {
  console.error('keystile: this needs Node ' + oldest + ' or newer and runs on ' + process.version + '.')
  console.error('Run "node tools/node/ensure.cjs" once: it fetches a newer Node for the scripts of this repository.')
  process.exit(1)
}

'use strict'
// The one place that says which Node the server and the tests need. Runs on Node 12.

/** From here on node:sqlite is quiet and TypeScript runs without a flag. */
const oldest = '24.15'

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

module.exports = { isNewEnough, oldest }

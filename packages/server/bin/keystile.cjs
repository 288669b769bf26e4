#!/usr/bin/env node
'use strict'
// CommonJS in the words of old Nodes, so that each of them can say what it lacks.
var version = process.versions.node.split('.').map(Number)
if (version[0] < 24 || (version[0] === 24 && version[1] < 15)) {
  console.error(
    'keystile: Node must be 24.15 or newer; ' +
      process.execPath +
      ' is ' +
      process.versions.node +
      '. Fix: install a newer version from https://nodejs.org',
  )
  process.exit(1)
}
void import('../bundle/cli/main.js')

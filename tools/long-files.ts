/**
 * Test files that start many processes, compilers or browsers. `npm test` leaves them out, because
 * they would double its time. Each also runs if it is named.
 */
export const longFiles = [
  'bench/bench.test.ts',
  'examples/examples.test.ts',
  'test/browser/app-docs.test.ts',
  'test/browser/client.test.ts',
  'test/browser/cookie-session.test.ts',
  'test/browser/docs.test.ts',
  'test/browser/scanners.test.ts',
  'test/cli/audit.test.ts',
  'test/cli/hand-over.test.ts',
  'test/cli/log.test.ts',
  'test/conformance/node20.test.ts',
  'test/docs/code-blocks.test.ts',
  'test/docs/commands.test.ts',
  'test/faults/clock-steps.test.ts',
  'test/faults/frozen.test.ts',
  'test/faults/kill.test.ts',
  'test/faults/lost-commits.test.ts',
  'test/faults/races.test.ts',
  'test/faults/second-factor.test.ts',
  'test/faults/two-servers.test.ts',
  'test/faults/upgrade.test.ts',
  'test/fuzz/unstorable.test.ts',
  'test/growth/probe-feature.test.ts',
  'test/rotation/soak.test.ts',
  'test/types/doors.test.ts',
  'test/types/monorepo.test.ts',
  'test/types/tarballs.test.ts',
  'tools/node/ensure.test.ts',
]

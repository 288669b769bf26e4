// Refuses a release that npm could not publish, or whose version differs from the tag:
// `node tools/release-check.ts v0.1.0`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly repository?: { readonly url?: string }
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Returns the faults in the manifests of a release, with one sentence for each fault. */
export function faultsOf(manifests: readonly Manifest[], tag: string): readonly string[] {
  const versions = new Map(manifests.map(({ name, version }) => [name, version]))
  return manifests.flatMap(({ name, version, repository, dependencies = {}, ...rest }) => [
    ...(`v${version}` === tag
      ? []
      : [`${name} must have the version of the tag, ${tag}; it has ${version}`]),
    ...(rest.private
      ? [`${name} must not be private. Fix: remove "private" once the name on npm is yours`]
      : []),
    ...(repository?.url
      ? []
      : [`${name} must have a "repository": npm's provenance statement names it`]),
    ...Object.entries(dependencies)
      .filter(([other, range]) => versions.has(other) && versions.get(other) !== range)
      .map(([other, range]) => `${name} must depend on ${other} of this release; it has ${range}`),
  ])
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const manifests = ['keystile', 'server'].map(
    (folder) =>
      JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as Manifest,
  )
  const faults = faultsOf(manifests, process.argv[2] ?? '')
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}

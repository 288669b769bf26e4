// Measures the size of each door of the library in a bundled app. The size includes all imports
// except Node and the framework.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { versionsOf } from '../machine.ts'
import type { Findings } from '../result.ts'
import { summarize } from '../statistics.ts'

const folder = join(import.meta.dirname, '../../packages/keystile')
/**
 * Whether apps import a door. Only @keystile/server imports `internal`, and a browser never loads
 * that package.
 */
const isPublic = (door: string): boolean => door !== 'internal'
const maxKilobytes = 30

export async function bundles(): Promise<Findings> {
  const { exports, peerDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as {
    readonly exports: Readonly<Record<string, { readonly source: string }>>
    readonly peerDependencies: Readonly<Record<string, string>>
  }
  const doors = Object.entries(exports).map(([path, { source }]) => ({
    name: nameOf(path),
    source,
  }))
  const external = Object.keys(peerDependencies).flatMap((name) => [name, `${name}/*`])
  const sizes = []
  for (const { name, source } of doors.filter((door) => isPublic(door.name)))
    sizes.push({
      name: name === 'index' ? 'keystile' : `keystile/${name}`,
      ...(await sizeOf(source, external)),
    })
  const largest = sizes.toSorted((a, b) => b.minified - a.minified)[0]!
  return {
    title: 'Bundles',
    method:
      'Everything that a door exports, bundled and minified by esbuild, in kB of 1,000 ' +
      'bytes. It excludes Node’s own modules, and ' +
      `${Object.keys(peerDependencies).join(' and ')}, which an app has anyway.`,
    versions: versionsOf(['esbuild']),
    table: {
      columns: ['door', 'minified, kB', 'and gzipped, kB'],
      rows: sizes.map(({ name, minified, gzipped }) => ({
        name,
        cells: [summarize([minified]), summarize([gzipped])],
      })),
    },
    bars: [
      {
        promise: `the largest door, ${largest.name}, kB`,
        measured: largest.minified,
        atMost: maxKilobytes,
      },
    ],
    skipped: [],
    plot: {
      title: 'Size of each door',
      unit: 'kB, minified; less is better',
      groups: [
        {
          name: 'Doors',
          items: sizes.map(({ name, minified }) => ({
            name,
            value: summarize([minified]),
            isOurs: true,
          })),
        },
      ],
    },
  }
}

function nameOf(path: string): string {
  return path === '.' ? 'index' : path.slice('./'.length)
}

async function sizeOf(
  source: string,
  external: readonly string[],
): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [source],
    external: [...external],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  })
  const { contents } = outputFiles[0]!
  return { minified: contents.length / 1000, gzipped: gzipSync(contents).length / 1000 }
}

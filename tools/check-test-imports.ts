// Keeps the two kinds of tests apart. A test beside the source belongs to a package, and imports
// only files of that package and of tools/. A test in test/ belongs to the repository, and reaches
// a package through its doors, its command and its test-support/.
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { importsOf } from './imports.ts'

/** Returns each forbidden import of a test, as "file: what is wrong". */
export function wrongTestImports(root: string, packages: readonly string[]): readonly string[] {
  const ofPackages = packages.flatMap((folder) =>
    globSync([`${folder}/src/**/*.test.ts`, `${folder}/test-support/**/*.ts`], {
      cwd: root,
    }).flatMap((file) =>
      relativeImports(root, file)
        .filter((path) => !path.startsWith(`${folder}/`) && !path.startsWith('tools/'))
        .map((path) => `${file}: may not import ${path}, only its own package and tools/`),
    ),
  )
  const ofRepository = globSync('test/**/*.ts', { cwd: root }).flatMap((file) =>
    relativeImports(root, file)
      .filter((path) => packages.some((folder) => path.startsWith(`${folder}/src/`)))
      .map(
        (path) =>
          `${file}: may not import ${path}: use a door or test-support/, ` +
          'or move the test beside the source',
      ),
  )
  return [...ofPackages, ...ofRepository].toSorted()
}

/** Returns the files that a file imports by a relative path, from the root. */
function relativeImports(root: string, file: string): readonly string[] {
  const folder = posix.dirname(file.replaceAll('\\', '/'))
  return importsOf(readFileSync(join(root, file), 'utf8'))
    .map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(folder, specifier))
}

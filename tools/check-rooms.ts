// Fails when packages/*/src does not follow the plan in rooms.ts. This check reads the source as
// text, because TypeScript 7 gives scripts no parser. It also fails if it cannot read a file: a
// check that has read nothing must not pass.
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob, posix } from 'node:path'
import { wrongTestImports } from './check-test-imports.ts'
import { codeOnly } from './code-only.ts'
import { computed, type Import, importsOf, packageOf } from './imports.ts'
import { type Door, type Package, type Plan, plan, type Room } from './rooms.ts'

const maxLines = 400
/** Two files of this width fit side by side. The formatter does not break comments and strings. */
const maxColumns = 100

interface File {
  /** The path below src/, with forward slashes. */
  readonly path: string
  /** The source without comments and without the contents of strings. */
  readonly code: string
  readonly lines: number
  readonly imports: readonly Import[]
  readonly isTest: boolean
}

export interface Findings {
  readonly files: number
  readonly problems: readonly string[]
}

/** Reads the repository at `root` and returns everything in it that the plan does not allow. */
export function checkRooms(root: string, plan: Plan): Findings {
  const problems = [...unplannedPackages(root, plan)]
  const long = new Set<string>()
  let files = 0
  for (const pack of plan.packages) {
    const report = (path: string, what: string): void =>
      void problems.push(`${pack.folder}/src/${path}: ${what}`)
    const all = readFiles(join(root, pack.folder, 'src'), report)
    const sources = all.filter((file) => !file.isTest)
    files += all.length
    checkPlan(pack, sources, (what) => problems.push(`rooms.ts, ${pack.name}: ${what}`))
    for (const file of all) checkText(file, report)
    for (const file of sources) {
      const where = `${pack.folder}/src/${file.path}`
      if (file.lines > maxLines) long.add(where)
      if (file.lines > maxLines && !plan.longFiles[where]) {
        report(
          file.path,
          `has ${file.lines} lines; more than ${maxLines} need a reason in rooms.ts`,
        )
      }
      checkPlace(file, pack, plan, report)
    }
    checkReach(pack, sources, report)
    for (const cycle of cyclesIn(sources))
      report(cycle[0]!, `imports itself: ${cycle.join(' -> ')}`)
  }
  for (const file of Object.keys(plan.longFiles)) {
    if (!long.has(file))
      problems.push(
        `rooms.ts: ${file} is in longFiles, so it must be longer than ${maxLines} lines`,
      )
  }
  problems.push(
    ...wrongTestImports(
      root,
      plan.packages.map(({ folder }) => folder),
    ),
  )
  return { files, problems }
}

type Report = (path: string, what: string) => void

function readFiles(src: string, report: Report): readonly File[] {
  return globSync('**/*.{ts,mts,cts,tsx,js,mjs,cjs,jsx}', { cwd: src })
    .toSorted()
    .flatMap((found) => {
      const path = found.replaceAll('\\', '/')
      if (!path.endsWith('.ts')) report(path, 'must be a .ts file: this check reads no other files')
      const source = readFileSync(join(src, found), 'utf8')
      const lines = source.trimEnd().split('\n')
      const isTest = path.endsWith('.test.ts')
      const wide = isTest ? -1 : lines.findIndex(({ length }) => length > maxColumns)
      if (wide >= 0) report(path, `line ${wide + 1} is wider than ${maxColumns} columns`)
      try {
        return [
          {
            path,
            code: codeOnly(source),
            lines: lines.length,
            imports: isTest ? [] : importsOf(source),
            isTest,
          },
        ]
      } catch (error) {
        report(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
        return []
      }
    })
}

function* unplannedPackages(root: string, plan: Plan): Iterable<string> {
  for (const entry of readdirSync(join(root, 'packages'), { withFileTypes: true })) {
    const folder = `packages/${entry.name}`
    if (entry.isDirectory() && !plan.packages.some((pack) => pack.folder === folder)) {
      yield `rooms.ts: ${folder} is not in the plan`
    }
  }
}

/**
 * Checks the plan itself: a room may name only rooms above it, and every entry must have an effect.
 */
function checkPlan(pack: Package, sources: readonly File[], report: (what: string) => void): void {
  for (const [index, room] of pack.rooms.entries()) {
    const above = pack.rooms.slice(0, index).map(({ name }) => name)
    for (const name of room.from) {
      if (name !== '*' && !above.includes(name))
        report(`${room.name} names ${name}, which is not above it`)
    }
    const own = sources.filter((file) => roomOf(file.path, pack) === room)
    if (own.length === 0) report(`no file is in the room ${room.name}`)
    else
      for (const name of unusedGrants(room, own, above, pack))
        report(`${room.name} may import ${name}, but no file of it does`)
    for (const file of Object.keys(room.packagesOf ?? {})) {
      if (!sources.some(({ path }) => path === `${room.name}/${file}`))
        report(`there is no ${room.name}/${file}`)
    }
  }
  for (const door of pack.doors) {
    if (!sources.some(({ path }) => path === door.file)) report(`there is no door ${door.file}`)
  }
}

/**
 * Returns the permissions of a room that none of its files uses. Otherwise a file could use such a
 * permission later, and no reviewer would see a change of the plan.
 */
function unusedGrants(
  room: Room,
  own: readonly File[],
  above: readonly string[],
  pack: Package,
): readonly string[] {
  const imported = own.flatMap((file) =>
    file.imports.map(({ specifier }) => resolve(file.path, specifier)),
  )
  const used = imported.map(
    (path) => roomOf(path, pack)?.name ?? (path === computed ? path : packageOf(path)),
  )
  const granted = [...room.from.filter((name) => above.includes(name)), ...(room.packages ?? [])]
  return granted.filter((name) => !used.includes(name))
}

/** Checks the rules for every file, tests included. */
function checkText({ path, code }: File, report: Report): void {
  // These are not types: x.any, any(…), and { any: … } as a key. The linter parses the code and
  // finds types that this pattern misses.
  if (/(?<!\.\s*)\bany\b(?!\s*\()(?!(?<=[{,;(]\s*any)\s*\??:)/.test(code))
    report(path, 'uses the type any')
  if (/\bdeclare\s+(?:module|global)\b/.test(code))
    report(path, 'changes the types of other packages (declare module or global)')
  if (/\bexport\s+default\b|\bexport\b[^;'"=]*\bas\s+default\b/.test(code))
    report(path, 'has a default export')
}

/** Checks whether a file may import what it imports. That depends on the folder of the file. */
function checkPlace(file: File, pack: Package, plan: Plan, report: Report): void {
  if (doorOf(file.path, pack)) return checkDoor(file, pack, report)
  const room = roomOf(file.path, pack)
  if (!room) return report(file.path, 'is in no room, and is not a door')
  for (const { specifier, passedOn } of file.imports) {
    if (passedOn) report(file.path, `re-exports ${specifier}; only a door may do that`)
    const problem = specifier.startsWith('.')
      ? (problemOfFile(file.path, room, specifier, pack) ??
        problemOfPrivate(file.path, specifier, plan))
      : problemOfPackage(file.path, room, specifier, plan)
    if (problem) report(file.path, problem)
  }
  for (const path of loadedTooSoon(file, plan))
    report(file.path, `may load ${path} only by import(…), when it is needed`)
}

/** Returns the deferred files that a file loads without `import(…)`. */
function loadedTooSoon({ path, imports }: File, { deferred }: Plan): readonly string[] {
  const isDeferred = (path: string): boolean => deferred.some((glob) => matchesGlob(path, glob))
  if (isDeferred(path)) return []
  const loaded = imports.filter((found) => !found.typeOnly && !found.deferred)
  return loaded.map(({ specifier }) => resolve(path, specifier)).filter(isDeferred)
}

function checkDoor(file: File, pack: Package, report: Report): void {
  const rest = file.code.replaceAll(
    /\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)\s*from\s*(['"])\s*\1;?/g,
    '',
  )
  if (rest.trim() !== '') report(file.path, 'is a door, so it must only re-export')
  for (const { specifier } of file.imports) {
    if (!roomOf(resolve(file.path, specifier), pack))
      report(file.path, `is a door; it must not re-export ${specifier}, which belongs to no room`)
  }
}

function problemOfFile(
  from: string,
  room: Room,
  specifier: string,
  pack: Package,
): string | undefined {
  const path = resolve(from, specifier)
  if (path.startsWith('../'))
    return `may not import ${specifier}, which is outside its package: use a door of that package`
  if (doorOf(path, pack)) return `may not import ${path}: a door is for outsiders`
  const target = roomOf(path, pack)
  if (target === room) return undefined
  const above = pack.rooms.indexOf(room)
  const allowed =
    target &&
    pack.rooms.indexOf(target) < above &&
    (room.from.includes(target.name) || room.from.includes('*'))
  return allowed
    ? undefined
    : `may not import ${path}: the room ${room.name} does not name ${target?.name ?? 'its room'}`
}

function problemOfPrivate(from: string, specifier: string, plan: Plan): string | undefined {
  const path = resolve(from, specifier)
  if (from.startsWith(`${posix.dirname(path)}/`)) return undefined
  for (const [files, importers] of Object.entries(plan.privateFiles)) {
    if (matchesGlob(path, files) && !importers.some((glob) => matchesGlob(from, glob)))
      return `may not import ${path}: outside its folder, only ${importers.join(', ')} may`
  }
  return undefined
}

function problemOfPackage(
  from: string,
  room: Room,
  specifier: string,
  plan: Plan,
): string | undefined {
  const name = specifier === computed ? computed : packageOf(specifier)
  const ofFile = room.packagesOf?.[from.slice(room.name.length + 1)] ?? []
  if (![...(room.packages ?? []), ...ofFile].includes(name))
    return `may not import ${specifier}: its room does not list ${name}`
  const files = plan.onlyIn[name]
  if (files && !files.some((glob) => matchesGlob(from, glob)))
    return `may not import ${name}: only ${files.join(', ')} may`
  const own = plan.packages.find((pack) => pack.name === name)
  const door = specifier === name ? 'index.ts' : `${specifier.slice(name.length + 1)}.ts`
  if (own && !doorOf(door, own)) return `may not import ${specifier}: ${name} has no such door`
  return undefined
}

/**
 * Reports each package that a room or a door loads at run time, directly or through other files,
 * although the plan says that it must never load this package.
 */
function checkReach(pack: Package, sources: readonly File[], report: Report): void {
  const byPath = new Map(sources.map((file) => [file.path, file]))
  const walk = (
    file: File,
    banned: readonly string[],
    way: readonly string[],
    seen: Set<string>,
  ): void => {
    if (seen.has(file.path)) return
    seen.add(file.path)
    for (const { specifier } of file.imports.filter(({ typeOnly }) => !typeOnly)) {
      const isBanned =
        banned.includes(packageOf(specifier)) ||
        (specifier.startsWith('node:') && banned.includes('node:'))
      if (isBanned)
        report(
          way[0] ?? file.path,
          `must never load ${specifier}: ${[...way, file.path, specifier].join(' -> ')}`,
        )
      const next = specifier.startsWith('.') ? byPath.get(resolve(file.path, specifier)) : undefined
      if (next) walk(next, banned, [...way, file.path], seen)
    }
  }
  for (const file of sources) {
    const banned = (doorOf(file.path, pack) ?? roomOf(file.path, pack))?.neverLoads
    if (banned) walk(file, banned, [], new Set())
  }
}

/**
 * Returns each import cycle once, as its path. Imports of types count too: two files that need each
 * other's types have one subject.
 */
function cyclesIn(sources: readonly File[]): readonly (readonly string[])[] {
  const byPath = new Map(sources.map((file) => [file.path, file]))
  const cycles: (readonly string[])[] = []
  const done = new Set<string>()
  const visit = (file: File, way: readonly string[]): void => {
    if (way.includes(file.path)) cycles.push([...way.slice(way.indexOf(file.path)), file.path])
    if (way.includes(file.path) || done.has(file.path)) return
    for (const { specifier } of file.imports.filter((found) => found.specifier.startsWith('.'))) {
      const next = byPath.get(resolve(file.path, specifier))
      if (next) visit(next, [...way, file.path])
    }
    done.add(file.path)
  }
  for (const file of sources) visit(file, [])
  return cycles
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier
}

function roomOf(path: string, pack: Package): Room | undefined {
  const around = pack.rooms.filter((room) => path.startsWith(`${room.name}/`))
  return around.toSorted((a, b) => b.name.length - a.name.length)[0]
}

function doorOf(path: string, pack: Package): Door | undefined {
  return pack.doors.find((door) => door.file === path)
}

if (import.meta.main) {
  const { files, problems } = checkRooms(join(import.meta.dirname, '..'), plan)
  for (const problem of problems) console.error(problem)
  console.log(
    problems.length > 0
      ? `${problems.length} problems in ${files} files`
      : `${files} files follow the plan`,
  )
  process.exitCode = problems.length > 0 || files === 0 ? 1 : 0
}

/** Returns a number with its noun: `0 mails`, `1 mail`. */
export function countOf(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

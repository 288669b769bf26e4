/** Joins the lines of a text that is written over several lines of code, with one space each. */
export function prose(lines: TemplateStringsArray, ...values: readonly unknown[]): string {
  return String.raw({ raw: lines.map((text) => text.replaceAll(/\n */g, ' ')) }, ...values)
}

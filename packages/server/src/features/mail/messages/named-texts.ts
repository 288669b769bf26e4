// The shapes that texts of pages have in common.

/** Texts under their names. */
export type Named<Name extends string> = Readonly<Record<Name, string>>

/** A page or a part of one that says only one thing. */
export type Titled = Named<'heading' | 'text'>

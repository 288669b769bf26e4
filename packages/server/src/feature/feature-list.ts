// The types of the list of all features, server/features.ts: with them, the compiler refuses a list
// that lacks a setting or an audit event.
import type { FeatureParts } from './feature.ts'
import type { Setting } from './setting.ts'

/** Any feature, for code that lists features without knowing their options. */
export interface AnyFeature<Given, Used, Event extends string> extends FeatureParts<Given, Used> {
  readonly settings?: readonly Setting[]
  readonly auditEvents?: readonly Event[]
}

/**
 * If the features in `List` have a setting for each of `Names`, this type is `List`. Otherwise this
 * type is an object with the missing names, so that the compiler's message shows them.
 */
export type WithSettings<Names extends string, List extends readonly object[]> = Complete<
  Names,
  SettingNameOf<List[number]>,
  List
>

/**
 * If the features in `List` have an audit event for each of `Names`, this type is `List`. Otherwise
 * this type is an object with the missing names.
 */
export type WithAuditEvents<Names extends string, List extends readonly object[]> = Complete<
  Names,
  AuditEventOf<List[number]>,
  List
>

export type AuditEventOf<F> = F extends {
  readonly auditEvents: readonly (infer E extends string)[]
}
  ? E
  : never

type SettingNameOf<F> = F extends { readonly settings: readonly Setting<infer N>[] } ? N : never

type Complete<Names, Found, List> = [Names] extends [Found]
  ? List
  : { readonly missing: Exclude<Names, Found> }

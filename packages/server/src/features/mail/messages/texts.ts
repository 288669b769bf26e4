import type { Language } from './message.ts'
import type { Texts } from './text-types.ts'
import { de } from './texts/de.ts'
import { en } from './texts/en.ts'
import { es } from './texts/es.ts'
import { fr } from './texts/fr.ts'

/** All texts of mails and pages. */
export const texts: Readonly<Record<Language, Texts>> = { en, de, fr, es }

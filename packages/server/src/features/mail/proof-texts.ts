// The texts of the mails with a link, in four languages.
import type { Language, ProofMailKind } from './message.ts'
import type { Paragraph, Text } from './texts.ts'

/** The values that are inserted into a text, as the user reads them. */
export interface ProofTextValues {
  readonly service: string
  readonly link: string
  /** The code in two groups; undefined if there is only a link. */
  readonly code: string | undefined
  /** How long the link works, such as `15 minutes`. */
  readonly lifetime: string
  /** When the link expires, with its time zone. */
  readonly until: string
}

type ProofTexts = Readonly<Record<ProofMailKind, (values: ProofTextValues) => Text>>

/** The texts of each language. */
export const proofTexts: Readonly<Record<Language, ProofTexts>> = {
  en: {
    password_reset: ({ service, link, code, lifetime, until }) => ({
      subject: `Set a new password for ${service}`,
      paragraphs: [
        `A new password was requested for your account at ${service}. ` +
          'Open this link to set it:',
        { link },
        ...withCode(code, 'Or enter this code where you requested the new password:'),
        `The link and the code work once, within ${lifetime} (until ${until}).`,
        'If you did not request this, ignore this mail: your password stays as it is. ' +
          'Do not give the link or the code to anyone.',
      ],
    }),
  },
  de: {
    password_reset: ({ service, link, code, lifetime, until }) => ({
      subject: `Neues Passwort für ${service}`,
      paragraphs: [
        `Für Ihr Konto bei ${service} wurde ein neues Passwort angefordert. ` +
          'Über diesen Link legen Sie es fest:',
        { link },
        ...withCode(
          code,
          'Oder geben Sie diesen Code dort ein, wo Sie das neue Passwort angefordert haben:',
        ),
        `Link und Code funktionieren einmal und sind ${lifetime} lang gültig (bis ${until}).`,
        'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Mail: ' +
          'Ihr Passwort bleibt unverändert. Geben Sie Link und Code an niemanden weiter.',
      ],
    }),
  },
  fr: {
    password_reset: ({ service, link, code, lifetime, until }) => ({
      subject: `Nouveau mot de passe pour ${service}`,
      paragraphs: [
        `Un nouveau mot de passe a été demandé pour votre compte sur ${service}. ` +
          'Ouvrez ce lien pour le choisir\u00a0:',
        { link },
        ...withCode(
          code,
          'Ou saisissez ce code là où vous avez demandé le nouveau mot de passe\u00a0:',
        ),
        `Le lien et le code fonctionnent une seule fois, pendant ${lifetime} (jusqu’au ${until}).`,
        'Si vous n’êtes pas à l’origine de cette demande, ignorez ce message\u00a0: ' +
          'votre mot de passe reste inchangé. Ne communiquez le lien et le code à personne.',
      ],
    }),
  },
  es: {
    password_reset: ({ service, link, code, lifetime, until }) => ({
      subject: `Nueva contraseña para ${service}`,
      paragraphs: [
        `Se ha solicitado una nueva contraseña para su cuenta en ${service}. ` +
          'Abra este enlace para elegirla:',
        { link },
        ...withCode(code, 'O introduzca este código donde solicitó la nueva contraseña:'),
        `El enlace y el código funcionan una sola vez, durante ${lifetime} (hasta el ${until}).`,
        'Si no la ha solicitado, ignore este mensaje: su contraseña no cambia. ' +
          'No comparta el enlace ni el código con nadie.',
      ],
    }),
  },
}

function withCode(code: string | undefined, sentence: string): readonly Paragraph[] {
  return code === undefined ? [] : [sentence, { code }]
}

// The texts of the mails with a link, in four languages.
import type { Language, ProofMailKind } from './message.ts'
import type { Paragraph, Text } from './texts.ts'

/** The values that are inserted into a text, as the user reads them. */
export interface ProofTextValues {
  readonly service: string
  readonly link: string
  /** The code in two groups, such as `1234 5678`; undefined if the mail has only a link. */
  readonly code: string | undefined
  /** How long the link works, such as `15 minutes`. */
  readonly lifetime: string
  /** When the link expires, with its time zone. */
  readonly until: string
}

type ProofTexts = Readonly<Record<ProofMailKind, (values: ProofTextValues) => Text>>

interface Terms {
  /** Says that the link and the code work once, how long they work, and when they expire. */
  readonly works: (lifetime: string, until: string) => string
  readonly keepSecret: string
}

const both: Readonly<Record<Language, Terms>> = {
  en: {
    works: (lifetime, until) =>
      `The link and the code work once, within ${lifetime} (until ${until}).`,
    keepSecret: 'Do not give the link or the code to anyone.',
  },
  de: {
    works: (lifetime, until) =>
      `Link und Code funktionieren einmal und sind ${lifetime} lang gültig (bis ${until}).`,
    keepSecret: 'Geben Sie Link und Code an niemanden weiter.',
  },
  fr: {
    works: (lifetime, until) =>
      `Le lien et le code fonctionnent une seule fois, pendant ${lifetime} (jusqu’au ${until}).`,
    keepSecret: 'Ne communiquez le lien et le code à personne.',
  },
  es: {
    works: (lifetime, until) =>
      `El enlace y el código funcionan una sola vez, durante ${lifetime} (hasta el ${until}).`,
    keepSecret: 'No comparta el enlace ni el código con nadie.',
  },
}

const linkOnly: typeof both = {
  en: {
    works: (lifetime, until) => `The link works once, within ${lifetime} (until ${until}).`,
    keepSecret: 'Do not give the link to anyone.',
  },
  de: {
    works: (lifetime, until) =>
      `Der Link funktioniert einmal und ist ${lifetime} lang gültig (bis ${until}).`,
    keepSecret: 'Geben Sie den Link an niemanden weiter.',
  },
  fr: {
    works: (lifetime, until) =>
      `Le lien fonctionne une seule fois, pendant ${lifetime} (jusqu’au ${until}).`,
    keepSecret: 'Ne communiquez le lien à personne.',
  },
  es: {
    works: (lifetime, until) =>
      `El enlace funciona una sola vez, durante ${lifetime} (hasta el ${until}).`,
    keepSecret: 'No comparta el enlace con nadie.',
  },
}

export const proofTexts: Readonly<Record<Language, ProofTexts>> = {
  en: {
    password_reset: ({ service, link, code, lifetime, until }) => ({
      subject: `Set a new password for ${service}`,
      paragraphs: [
        `A new password was requested for your account at ${service}. ` +
          'Open this link to set it:',
        { link },
        ...withCode(code, 'Or enter this code where you requested the new password:'),
        termsOf(code).en.works(lifetime, until),
        'If you did not request this, ignore this mail: your password stays as it is. ' +
          termsOf(code).en.keepSecret,
      ],
    }),
    email_verification: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirm your address for ${service}`,
      paragraphs: [
        `There is an account at ${service} with this address. If it is yours, ` +
          'open this link and enter your password to confirm the address:',
        { link },
        ...withCode(code, 'Or enter this code where you are logged in:'),
        termsOf(code).en.works(lifetime, until),
        'If the account is not yours, another person has entered your address. ' +
          'Ignore this mail. ' +
          termsOf(code).en.keepSecret,
      ],
    }),
    registration: ({ service, link, code, lifetime, until }) => ({
      subject: `Finish your registration at ${service}`,
      paragraphs: [
        `A person wants to register at ${service} with this address. If it is you, ` +
          'open this link and enter the password that you have chosen:',
        { link },
        ...withCode(code, 'Or enter this code where you registered:'),
        termsOf(code).en.works(lifetime, until),
        'If it is not you, ignore this mail: then no account is created. ' +
          termsOf(code).en.keepSecret,
      ],
    }),
    email_change: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirm your new address for ${service}`,
      paragraphs: [
        `This address was entered as the new address of an account at ${service}. ` +
          'If the account is yours, open this link to confirm it:',
        { link },
        ...withCode(code, 'Or enter this code where you changed the address:'),
        termsOf(code).en.works(lifetime, until),
        'If the account is not yours, ignore this mail. ' + termsOf(code).en.keepSecret,
      ],
    }),
    email_changed: ({ service, link, lifetime, until }) => ({
      subject: `The address of your account at ${service} was changed`,
      paragraphs: [
        `Your account at ${service} now has another e-mail address. It had this one until now.`,
        'If you did this, you do not have to do anything.',
        'If you did not do this, another person has access to your account. ' +
          'Open this link to undo the change:',
        { link },
        'Then all devices are logged out, and you get a mail to set a new password. ' +
          `The link works once, within ${lifetime} (until ${until}). Do not give it to anyone.`,
      ],
    }),
    invitation: ({ service, link, lifetime, until }) => ({
      subject: `Your invitation to ${service}`,
      paragraphs: [
        `You are invited to create an account at ${service}. ` +
          'Open this link to choose a name and a password:',
        { link },
        linkOnly.en.works(lifetime, until),
        'If you do not want an account, ignore this mail. ' + linkOnly.en.keepSecret,
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
        termsOf(code).de.works(lifetime, until),
        'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Mail: ' +
          'Ihr Passwort bleibt unverändert. ' +
          termsOf(code).de.keepSecret,
      ],
    }),
    email_verification: ({ service, link, code, lifetime, until }) => ({
      subject: `Bestätigen Sie Ihre Adresse für ${service}`,
      paragraphs: [
        `Bei ${service} gibt es ein Konto mit dieser Adresse. Wenn es Ihres ist, ` +
          'öffnen Sie diesen Link und geben Sie Ihr Passwort ein, um die Adresse zu bestätigen:',
        { link },
        ...withCode(code, 'Oder geben Sie diesen Code dort ein, wo Sie angemeldet sind:'),
        termsOf(code).de.works(lifetime, until),
        'Wenn das Konto nicht Ihres ist, hat eine andere Person Ihre Adresse angegeben. ' +
          'Ignorieren Sie diese Mail. ' +
          termsOf(code).de.keepSecret,
      ],
    }),
    registration: ({ service, link, code, lifetime, until }) => ({
      subject: `Schließen Sie Ihre Registrierung bei ${service} ab`,
      paragraphs: [
        `Jemand möchte sich mit dieser Adresse bei ${service} registrieren. Wenn Sie das sind, ` +
          'öffnen Sie diesen Link und geben Sie das Passwort ein, das Sie gewählt haben:',
        { link },
        ...withCode(code, 'Oder geben Sie diesen Code dort ein, wo Sie sich registriert haben:'),
        termsOf(code).de.works(lifetime, until),
        'Wenn Sie das nicht sind, ignorieren Sie diese Mail: Dann entsteht kein Konto. ' +
          termsOf(code).de.keepSecret,
      ],
    }),
    email_change: ({ service, link, code, lifetime, until }) => ({
      subject: `Bestätigen Sie Ihre neue Adresse für ${service}`,
      paragraphs: [
        `Diese Adresse wurde als neue Adresse eines Kontos bei ${service} angegeben. ` +
          'Wenn es Ihr Konto ist, bestätigen Sie sie über diesen Link:',
        { link },
        ...withCode(
          code,
          'Oder geben Sie diesen Code dort ein, wo Sie die Adresse geändert haben:',
        ),
        termsOf(code).de.works(lifetime, until),
        'Wenn es nicht Ihr Konto ist, ignorieren Sie diese Mail. ' + termsOf(code).de.keepSecret,
      ],
    }),
    email_changed: ({ service, link, lifetime, until }) => ({
      subject: `Die Adresse Ihres Kontos bei ${service} wurde geändert`,
      paragraphs: [
        `Ihr Konto bei ${service} hat jetzt eine andere E-Mail-Adresse. Bisher hatte es diese.`,
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren, hat eine andere Person Zugriff auf Ihr Konto. ' +
          'Über diesen Link machen Sie die Änderung rückgängig:',
        { link },
        'Dann werden alle Geräte abgemeldet, und Sie bekommen eine Mail für ein neues Passwort. ' +
          `Der Link funktioniert einmal und ist ${lifetime} lang gültig (bis ${until}). ` +
          'Geben Sie ihn an niemanden weiter.',
      ],
    }),
    invitation: ({ service, link, lifetime, until }) => ({
      subject: `Ihre Einladung zu ${service}`,
      paragraphs: [
        `Sie sind eingeladen, ein Konto bei ${service} anzulegen. ` +
          'Über diesen Link wählen Sie einen Namen und ein Passwort:',
        { link },
        linkOnly.de.works(lifetime, until),
        'Wenn Sie kein Konto möchten, ignorieren Sie diese Mail. ' + linkOnly.de.keepSecret,
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
        termsOf(code).fr.works(lifetime, until),
        'Si vous n’êtes pas à l’origine de cette demande, ignorez ce message\u00a0: ' +
          'votre mot de passe reste inchangé. ' +
          termsOf(code).fr.keepSecret,
      ],
    }),
    email_verification: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirmez votre adresse pour ${service}`,
      paragraphs: [
        `Un compte sur ${service} utilise cette adresse. Si c’est le vôtre, ouvrez ce lien ` +
          'et saisissez votre mot de passe pour confirmer l’adresse\u00a0:',
        { link },
        ...withCode(code, 'Ou saisissez ce code là où vous êtes connecté\u00a0:'),
        termsOf(code).fr.works(lifetime, until),
        'Si ce compte n’est pas le vôtre, une autre personne a indiqué votre adresse. ' +
          'Ignorez ce message. ' +
          termsOf(code).fr.keepSecret,
      ],
    }),
    registration: ({ service, link, code, lifetime, until }) => ({
      subject: `Terminez votre inscription sur ${service}`,
      paragraphs: [
        `Une personne souhaite s’inscrire sur ${service} avec cette adresse. Si c’est vous, ` +
          'ouvrez ce lien et saisissez le mot de passe que vous avez choisi\u00a0:',
        { link },
        ...withCode(code, 'Ou saisissez ce code là où vous vous êtes inscrit\u00a0:'),
        termsOf(code).fr.works(lifetime, until),
        'Si ce n’est pas vous, ignorez ce message\u00a0: aucun compte ne sera créé. ' +
          termsOf(code).fr.keepSecret,
      ],
    }),
    email_change: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirmez votre nouvelle adresse pour ${service}`,
      paragraphs: [
        `Cette adresse a été indiquée comme nouvelle adresse d’un compte sur ${service}. ` +
          'Si ce compte est le vôtre, ouvrez ce lien pour la confirmer\u00a0:',
        { link },
        ...withCode(code, 'Ou saisissez ce code là où vous avez modifié l’adresse\u00a0:'),
        termsOf(code).fr.works(lifetime, until),
        'Si ce compte n’est pas le vôtre, ignorez ce message. ' + termsOf(code).fr.keepSecret,
      ],
    }),
    email_changed: ({ service, link, lifetime, until }) => ({
      subject: `L’adresse de votre compte sur ${service} a été modifiée`,
      paragraphs: [
        `Votre compte sur ${service} a maintenant une autre adresse e-mail. ` +
          'Jusqu’ici, c’était celle-ci.',
        'Si c’était vous, vous n’avez rien à faire.',
        'Si ce n’était pas vous, une autre personne a accès à votre compte. ' +
          'Ouvrez ce lien pour annuler la modification\u00a0:',
        { link },
        'Tous les appareils seront alors déconnectés, et vous recevrez un message pour choisir ' +
          `un nouveau mot de passe. Le lien fonctionne une seule fois, pendant ${lifetime} ` +
          `(jusqu’au ${until}). Ne le communiquez à personne.`,
      ],
    }),
    invitation: ({ service, link, lifetime, until }) => ({
      subject: `Votre invitation sur ${service}`,
      paragraphs: [
        `Vous êtes invité à créer un compte sur ${service}. ` +
          'Ouvrez ce lien pour choisir un nom et un mot de passe\u00a0:',
        { link },
        linkOnly.fr.works(lifetime, until),
        'Si vous ne souhaitez pas de compte, ignorez ce message. ' + linkOnly.fr.keepSecret,
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
        termsOf(code).es.works(lifetime, until),
        'Si no la ha solicitado, ignore este mensaje: su contraseña no cambia. ' +
          termsOf(code).es.keepSecret,
      ],
    }),
    email_verification: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirme su dirección para ${service}`,
      paragraphs: [
        `Hay una cuenta en ${service} con esta dirección. Si es suya, ` +
          'abra este enlace e introduzca su contraseña para confirmar la dirección:',
        { link },
        ...withCode(code, 'O introduzca este código donde tiene la sesión iniciada:'),
        termsOf(code).es.works(lifetime, until),
        'Si la cuenta no es suya, otra persona ha indicado su dirección. ' +
          'Ignore este mensaje. ' +
          termsOf(code).es.keepSecret,
      ],
    }),
    registration: ({ service, link, code, lifetime, until }) => ({
      subject: `Termine su registro en ${service}`,
      paragraphs: [
        `Una persona quiere registrarse en ${service} con esta dirección. Si es usted, ` +
          'abra este enlace e introduzca la contraseña que ha elegido:',
        { link },
        ...withCode(code, 'O introduzca este código donde se registró:'),
        termsOf(code).es.works(lifetime, until),
        'Si no es usted, ignore este mensaje: no se creará ninguna cuenta. ' +
          termsOf(code).es.keepSecret,
      ],
    }),
    email_change: ({ service, link, code, lifetime, until }) => ({
      subject: `Confirme su nueva dirección para ${service}`,
      paragraphs: [
        `Esta dirección se ha indicado como nueva dirección de una cuenta en ${service}. ` +
          'Si la cuenta es suya, abra este enlace para confirmarla:',
        { link },
        ...withCode(code, 'O introduzca este código donde cambió la dirección:'),
        termsOf(code).es.works(lifetime, until),
        'Si la cuenta no es suya, ignore este mensaje. ' + termsOf(code).es.keepSecret,
      ],
    }),
    email_changed: ({ service, link, lifetime, until }) => ({
      subject: `Se ha cambiado la dirección de su cuenta en ${service}`,
      paragraphs: [
        `Su cuenta en ${service} tiene ahora otra dirección de correo. Hasta ahora tenía esta.`,
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no ha sido usted, otra persona tiene acceso a su cuenta. ' +
          'Abra este enlace para deshacer el cambio:',
        { link },
        'Entonces se cierra la sesión en todos los dispositivos y recibe un mensaje para elegir ' +
          `una nueva contraseña. El enlace funciona una sola vez, durante ${lifetime} ` +
          `(hasta el ${until}). No lo comparta con nadie.`,
      ],
    }),
    invitation: ({ service, link, lifetime, until }) => ({
      subject: `Su invitación a ${service}`,
      paragraphs: [
        `Está invitado a crear una cuenta en ${service}. ` +
          'Abra este enlace para elegir un nombre y una contraseña:',
        { link },
        linkOnly.es.works(lifetime, until),
        'Si no quiere una cuenta, ignore este mensaje. ' + linkOnly.es.keepSecret,
      ],
    }),
  },
}

function termsOf(code: string | undefined): typeof both {
  return code === undefined ? linkOnly : both
}

function withCode(code: string | undefined, sentence: string): readonly Paragraph[] {
  return code === undefined ? [] : [sentence, { code }]
}

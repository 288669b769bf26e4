// The texts of the notices in four languages.
import type { Language, NoticeKind } from './message.ts'

export interface TextValues {
  readonly service: string
  /** The time of the change, with its time zone. */
  readonly time: string
  readonly address: string | undefined
}

/** One or more sentences, or a link or a code in a paragraph of its own. */
export type Paragraph = string | { readonly link: string } | { readonly code: string }

export interface Text {
  readonly subject: string
  readonly paragraphs: readonly Paragraph[]
}

type Texts = Readonly<Record<NoticeKind, (values: TextValues) => Text>>

/** The last paragraph of each notice. */
const automatic: Readonly<Record<Language, string>> = {
  en: 'This mail was sent automatically. It has no links and asks for no password.',
  de: 'Automatisch verschickte Mail ohne Links. Sie fragt nach keinem Passwort.',
  fr: 'Message envoyé automatiquement, sans lien. Il ne demande aucun mot de passe.',
  es: 'Este mensaje se envió automáticamente. No tiene enlaces y no pide ninguna contraseña.',
}

export const texts: Readonly<Record<Language, Texts>> = {
  en: {
    password_changed: ({ service, time, address }) => ({
      subject: `Your password at ${service} was changed`,
      paragraphs: [
        `The password of your account at ${service} was changed on ${time}` +
          `${address === undefined ? '' : ` from the IP address ${address}`}.`,
        'If you did this, you do not have to do anything.',
        `If you did not do this, another person has access to your account. ` +
          `Contact the operator of ${service} now.`,
        automatic.en,
      ],
    }),
    new_device: ({ service, time, address }) => ({
      subject: `New login to your account at ${service}`,
      paragraphs: [
        `There was a login to your account at ${service} on ${time} from a device that has not ` +
          `been used before${address === undefined ? '' : `, from the IP address ${address}`}.`,
        'If this was you, you do not have to do anything.',
        'If this was not you, change your password now. This ends all other sessions.',
        automatic.en,
      ],
    }),
    account_disabled: ({ service, time }) => ({
      subject: `Your account at ${service} was disabled`,
      paragraphs: [
        `Your account at ${service} was disabled on ${time}. You cannot log in any more.`,
        `If you have questions, contact the operator of ${service}.`,
        automatic.en,
      ],
    }),
    already_registered: ({ service, time }) => ({
      subject: `You already have an account at ${service}`,
      paragraphs: [
        `On ${time}, a person wanted to register at ${service} with your address. ` +
          'You already have an account with it, so no other account was created.',
        'If this was you, log in with your password. If you have forgotten it, request a new one.',
        'If this was not you, you do not have to do anything.',
        automatic.en,
      ],
    }),
    email_taken: ({ service, time }) => ({
      subject: `Your address is already in use at ${service}`,
      paragraphs: [
        `On ${time}, a user of ${service} wanted to use your address for another account. ` +
          'There already is an account with your address, so nothing was changed.',
        'If this was you, log in to the account with this address, or delete it first.',
        'If this was not you, you do not have to do anything.',
        automatic.en,
      ],
    }),
    email_removed: ({ service, time }) => ({
      subject: `The account at ${service} has another address now`,
      paragraphs: [
        `On ${time}, an account at ${service} got another e-mail address. ` +
          'Until then, it had this one.',
        'If you did this, or if the account is not yours, you do not have to do anything.',
        `If the account is yours and you did not do this, contact the operator of ${service}.`,
        automatic.en,
      ],
    }),
  },
  de: {
    password_changed: ({ service, time, address }) => ({
      subject: `Ihr Passwort bei ${service} wurde geändert`,
      paragraphs: [
        `Das Passwort Ihres Kontos bei ${service} wurde am ${time} geändert` +
          `${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}.`,
        'Wenn Sie das waren, müssen Sie nichts tun.',
        `Wenn Sie das nicht waren, hat eine andere Person Zugriff auf Ihr Konto. ` +
          `Wenden Sie sich sofort an den Betreiber von ${service}.`,
        automatic.de,
      ],
    }),
    new_device: ({ service, time, address }) => ({
      subject: `Neue Anmeldung bei Ihrem Konto bei ${service}`,
      paragraphs: [
        `Am ${time} gab es eine Anmeldung bei Ihrem Konto bei ${service} von einem Gerät, ` +
          `das bisher nicht verwendet wurde` +
          `${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}.`,
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort. ' +
          'Das beendet alle anderen Sitzungen.',
        automatic.de,
      ],
    }),
    account_disabled: ({ service, time }) => ({
      subject: `Ihr Konto bei ${service} wurde gesperrt`,
      paragraphs: [
        `Ihr Konto bei ${service} wurde am ${time} gesperrt. ` +
          'Sie können sich nicht mehr anmelden.',
        `Bei Fragen wenden Sie sich an den Betreiber von ${service}.`,
        automatic.de,
      ],
    }),
    already_registered: ({ service, time }) => ({
      subject: `Sie haben schon ein Konto bei ${service}`,
      paragraphs: [
        `Am ${time} wollte sich jemand mit Ihrer Adresse bei ${service} registrieren. ` +
          'Mit dieser Adresse haben Sie schon ein Konto. Es wurde kein weiteres angelegt.',
        'Wenn Sie das waren, melden Sie sich mit Ihrem Passwort an. ' +
          'Wenn Sie es vergessen haben, fordern Sie ein neues an.',
        'Wenn Sie das nicht waren, müssen Sie nichts tun.',
        automatic.de,
      ],
    }),
    email_taken: ({ service, time }) => ({
      subject: `Ihre Adresse wird bei ${service} schon verwendet`,
      paragraphs: [
        `Am ${time} wollte jemand Ihre Adresse für ein anderes Konto bei ${service} verwenden. ` +
          'Mit Ihrer Adresse gibt es schon ein Konto, deshalb wurde nichts geändert.',
        'Wenn Sie das waren, melden Sie sich mit dem bestehenden Konto an. ' +
          'Oder löschen Sie es, bevor Sie die Adresse für ein anderes Konto verwenden.',
        'Wenn Sie das nicht waren, müssen Sie nichts tun.',
        automatic.de,
      ],
    }),
    email_removed: ({ service, time }) => ({
      subject: `Das Konto bei ${service} hat jetzt eine andere Adresse`,
      paragraphs: [
        `Am ${time} hat ein Konto bei ${service} eine andere E-Mail-Adresse bekommen. ` +
          'Bis dahin hatte es diese.',
        'Wenn Sie das waren oder das Konto nicht Ihres ist, müssen Sie nichts tun.',
        'Wenn das Konto Ihres ist und Sie das nicht waren, ' +
          `wenden Sie sich an den Betreiber von ${service}.`,
        automatic.de,
      ],
    }),
  },
  fr: {
    password_changed: ({ service, time, address }) => ({
      subject: `Votre mot de passe sur ${service} a été modifié`,
      paragraphs: [
        `Le mot de passe de votre compte sur ${service} a été modifié le ${time}` +
          `${address === undefined ? '' : ` depuis l’adresse IP ${address}`}.`,
        'Si c’était vous, vous n’avez rien à faire.',
        `Si ce n’était pas vous, une autre personne a accès à votre compte. ` +
          `Contactez immédiatement l’exploitant de ${service}.`,
        automatic.fr,
      ],
    }),
    new_device: ({ service, time, address }) => ({
      subject: `Nouvelle connexion à votre compte sur ${service}`,
      paragraphs: [
        `Une connexion à votre compte sur ${service} a eu lieu le ${time} depuis un appareil ` +
          `qui n’avait pas encore été utilisé` +
          `${address === undefined ? '' : `, depuis l’adresse IP ${address}`}.`,
        'Si c’était vous, vous n’avez rien à faire.',
        'Si ce n’était pas vous, changez votre mot de passe maintenant. ' +
          'Cela met fin à toutes les autres sessions.',
        automatic.fr,
      ],
    }),
    account_disabled: ({ service, time }) => ({
      subject: `Votre compte sur ${service} a été désactivé`,
      paragraphs: [
        `Votre compte sur ${service} a été désactivé le ${time}. ` +
          'Vous ne pouvez plus vous connecter.',
        `Pour toute question, contactez l’exploitant de ${service}.`,
        automatic.fr,
      ],
    }),
    already_registered: ({ service, time }) => ({
      subject: `Vous avez déjà un compte sur ${service}`,
      paragraphs: [
        `Le ${time}, une personne a voulu s’inscrire sur ${service} avec votre adresse. ` +
          'Vous avez déjà un compte avec cette adresse\u00a0: aucun autre n’a été créé.',
        'Si c’était vous, connectez-vous avec votre mot de passe. ' +
          'Si vous l’avez oublié, demandez-en un nouveau.',
        'Si ce n’était pas vous, vous n’avez rien à faire.',
        automatic.fr,
      ],
    }),
    email_taken: ({ service, time }) => ({
      subject: `Votre adresse est déjà utilisée sur ${service}`,
      paragraphs: [
        `Le ${time}, une personne a voulu utiliser votre adresse pour un autre compte ` +
          `sur ${service}. Un compte existe déjà avec votre adresse\u00a0: rien n’a été modifié.`,
        'Si c’était vous, connectez-vous au compte qui a cette adresse, ou supprimez-le d’abord.',
        'Si ce n’était pas vous, vous n’avez rien à faire.',
        automatic.fr,
      ],
    }),
    email_removed: ({ service, time }) => ({
      subject: `Le compte sur ${service} a maintenant une autre adresse`,
      paragraphs: [
        `Le ${time}, un compte sur ${service} a reçu une autre adresse e-mail. ` +
          'Jusque-là, il avait celle-ci.',
        'Si c’était vous, ou si ce compte n’est pas le vôtre, vous n’avez rien à faire.',
        'Si ce compte est le vôtre et que ce n’était pas vous, ' +
          `contactez l’exploitant de ${service}.`,
        automatic.fr,
      ],
    }),
  },
  es: {
    password_changed: ({ service, time, address }) => ({
      subject: `Se ha cambiado su contraseña en ${service}`,
      paragraphs: [
        `La contraseña de su cuenta en ${service} se cambió el ${time}` +
          `${address === undefined ? '' : ` desde la dirección IP ${address}`}.`,
        'Si ha sido usted, no tiene que hacer nada.',
        `Si no ha sido usted, otra persona tiene acceso a su cuenta. ` +
          `Póngase en contacto ahora con el operador de ${service}.`,
        automatic.es,
      ],
    }),
    new_device: ({ service, time, address }) => ({
      subject: `Nuevo inicio de sesión en su cuenta en ${service}`,
      paragraphs: [
        `El ${time} hubo un inicio de sesión en su cuenta en ${service} desde un dispositivo ` +
          `que no se había usado antes` +
          `${address === undefined ? '' : `, desde la dirección IP ${address}`}.`,
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no ha sido usted, cambie su contraseña ahora. ' +
          'Así terminan todas las demás sesiones.',
        automatic.es,
      ],
    }),
    account_disabled: ({ service, time }) => ({
      subject: `Su cuenta en ${service} ha sido desactivada`,
      paragraphs: [
        `Su cuenta en ${service} se desactivó el ${time}. Ya no puede iniciar sesión.`,
        `Si tiene preguntas, póngase en contacto con el operador de ${service}.`,
        automatic.es,
      ],
    }),
    already_registered: ({ service, time }) => ({
      subject: `Ya tiene una cuenta en ${service}`,
      paragraphs: [
        `El ${time}, una persona quiso registrarse en ${service} con su dirección. ` +
          'Usted ya tiene una cuenta con ella, así que no se ha creado ninguna otra.',
        'Si ha sido usted, inicie sesión con su contraseña. ' +
          'Si la ha olvidado, solicite una nueva.',
        'Si no ha sido usted, no tiene que hacer nada.',
        automatic.es,
      ],
    }),
    email_taken: ({ service, time }) => ({
      subject: `Su dirección ya se utiliza en ${service}`,
      paragraphs: [
        `El ${time}, una persona quiso usar su dirección para otra cuenta en ${service}. ` +
          'Ya existe una cuenta con su dirección, así que no se ha cambiado nada.',
        'Si ha sido usted, inicie sesión en la cuenta con esta dirección o elimínela primero.',
        'Si no ha sido usted, no tiene que hacer nada.',
        automatic.es,
      ],
    }),
    email_removed: ({ service, time }) => ({
      subject: `La cuenta en ${service} tiene ahora otra dirección`,
      paragraphs: [
        `El ${time}, una cuenta en ${service} recibió otra dirección de correo. ` +
          'Hasta entonces tenía esta.',
        'Si ha sido usted, o si la cuenta no es suya, no tiene que hacer nada.',
        'Si la cuenta es suya y no ha sido usted, ' +
          `póngase en contacto con el operador de ${service}.`,
        automatic.es,
      ],
    }),
  },
}

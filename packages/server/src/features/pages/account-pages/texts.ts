// The texts of the pages in four languages.
import type { Language } from '../../mail/messages/message.ts'

/** The texts of the pages on which a user sets a new password. */
export interface PageTexts {
  readonly forgot: { readonly heading: string; readonly intro: string; readonly button: string }
  readonly login: string
  readonly sent: { readonly heading: string; readonly intro: string }
  readonly code: string
  readonly codeHint: string
  readonly reset: {
    readonly heading: string
    readonly button: string
    /** What to do if the link was used or has expired. */
    readonly used: string
  }
  readonly password: string
  readonly passwordHint: (minLength: number) => string
  readonly done: { readonly heading: string; readonly text: string }
  readonly noToken: string
  readonly requestAgain: string
  readonly faults: {
    readonly code: string
    readonly password: string
    readonly tooMany: string
    readonly unavailable: string
  }
}

export const pageTexts: Readonly<Record<Language, PageTexts>> = {
  en: {
    forgot: {
      heading: 'Forgot your password?',
      intro: 'We send you a mail with a link and a code, with which you set a new password.',
      button: 'Send the mail',
    },
    login: 'User name or e-mail address',
    sent: {
      heading: 'Look into your mailbox',
      intro:
        'If there is an account with this name or address, a mail is on its way. ' +
        'Open the link in the mail, or enter its code here. ' +
        'If no mail comes, look for it among the spam, and ask again. ' +
        'After several mails, another one is possible six hours later.',
    },
    code: 'Code from the mail',
    codeHint: 'Eight digits.',
    reset: {
      heading: 'Set a new password',
      button: 'Set the password',
      used: 'If you have set your new password with it, log in. If not, request a new mail.',
    },
    password: 'New password',
    passwordHint: (minLength) =>
      `At least ${minLength} characters. Several words that do not belong together are good.`,
    done: {
      heading: 'Your password is set',
      text: 'You are logged out on all devices. Log in with the new password.',
    },
    noToken: 'This link is not complete. Open the whole link in the mail, or request a new mail.',
    requestAgain: 'Request a new mail',
    faults: {
      code: 'The code is wrong, was used before, or has expired.',
      password: 'Choose another password.',
      tooMany: 'Too many tries. Wait a while and try again.',
      unavailable: 'This does not work at the moment. Try again in a few seconds.',
    },
  },
  de: {
    forgot: {
      heading: 'Passwort vergessen?',
      intro:
        'Wir schicken Ihnen eine Mail mit einem Link und einem Code. ' +
        'Damit legen Sie ein neues Passwort fest.',
      button: 'Mail anfordern',
    },
    login: 'Benutzername oder E-Mail-Adresse',
    sent: {
      heading: 'Sehen Sie in Ihr Postfach',
      intro:
        'Wenn es ein Konto mit diesem Namen oder dieser Adresse gibt, ist eine Mail unterwegs. ' +
        'Öffnen Sie den Link in der Mail oder geben Sie hier den Code aus der Mail ein. ' +
        'Wenn keine Mail kommt, sehen Sie im Spam nach und fordern Sie eine neue an. ' +
        'Nach mehreren Mails ist die nächste sechs Stunden später möglich.',
    },
    code: 'Code aus der Mail',
    codeHint: 'Acht Ziffern.',
    reset: {
      heading: 'Neues Passwort festlegen',
      button: 'Passwort speichern',
      used:
        'Wenn Sie Ihr neues Passwort damit festgelegt haben, melden Sie sich an. Wenn nicht, ' +
        'fordern Sie eine neue Mail an.',
    },
    password: 'Neues Passwort',
    passwordHint: (minLength) =>
      `Mindestens ${minLength} Zeichen. Gut sind mehrere Wörter, die nicht zusammengehören.`,
    done: {
      heading: 'Ihr neues Passwort gilt',
      text: 'Sie sind auf allen Geräten abgemeldet. Melden Sie sich mit dem neuen Passwort an.',
    },
    noToken:
      'Dieser Link ist nicht vollständig. Öffnen Sie den ganzen Link aus der Mail ' +
      'oder fordern Sie eine neue Mail an.',
    requestAgain: 'Neue Mail anfordern',
    faults: {
      code: 'Der Code ist falsch, schon benutzt oder abgelaufen.',
      password: 'Wählen Sie ein anderes Passwort.',
      tooMany: 'Zu viele Versuche. Warten Sie eine Weile und versuchen Sie es noch einmal.',
      unavailable: 'Das geht im Moment nicht. Versuchen Sie es in ein paar Sekunden noch einmal.',
    },
  },
  fr: {
    forgot: {
      heading: 'Mot de passe oublié\u00a0?',
      intro:
        'Nous vous envoyons un message avec un lien et un code, ' +
        'qui permettent de choisir un nouveau mot de passe.',
      button: 'Envoyer le message',
    },
    login: 'Nom d’utilisateur ou adresse e-mail',
    sent: {
      heading: 'Consultez votre messagerie',
      intro:
        'S’il existe un compte avec ce nom ou cette adresse, un message vient de partir. ' +
        'Ouvrez le lien du message ou saisissez son code ici. ' +
        'Si rien n’arrive, regardez dans les courriers indésirables, ' +
        'puis faites une nouvelle demande. ' +
        'Après plusieurs messages, le suivant est possible six heures plus tard.',
    },
    code: 'Code reçu par message',
    codeHint: 'Huit chiffres.',
    reset: {
      heading: 'Choisir un nouveau mot de passe',
      button: 'Enregistrer le mot de passe',
      used:
        'Si vous avez choisi votre nouveau mot de passe avec ce lien, connectez-vous. Sinon, ' +
        'demandez un nouveau message.',
    },
    password: 'Nouveau mot de passe',
    passwordHint: (minLength) =>
      `Au moins ${minLength} caractères. Plusieurs mots sans rapport entre eux conviennent bien.`,
    done: {
      heading: 'Votre mot de passe est enregistré',
      text:
        'Vous êtes déconnecté de tous les appareils. ' +
        'Connectez-vous avec le nouveau mot de passe.',
    },
    noToken:
      'Ce lien est incomplet. Ouvrez le lien entier du message, ou demandez un nouveau message.',
    requestAgain: 'Demander un nouveau message',
    faults: {
      code: 'Le code est erroné, a déjà été utilisé ou a expiré.',
      password: 'Choisissez un autre mot de passe.',
      tooMany: 'Trop de tentatives. Patientez un moment, puis réessayez.',
      unavailable: 'Ce n’est pas possible pour le moment. Réessayez dans quelques secondes.',
    },
  },
  es: {
    forgot: {
      heading: '¿Ha olvidado su contraseña?',
      intro:
        'Le enviamos un mensaje con un enlace y un código ' +
        'con los que podrá elegir una nueva contraseña.',
      button: 'Enviar el mensaje',
    },
    login: 'Nombre de usuario o dirección de correo',
    sent: {
      heading: 'Revise su correo',
      intro:
        'Si existe una cuenta con este nombre o esta dirección, le llegará un mensaje. ' +
        'Abra el enlace del mensaje o introduzca aquí su código. ' +
        'Si no llega, busque en el correo no deseado y solicite otro. ' +
        'Después de varios mensajes, el siguiente es posible seis horas más tarde.',
    },
    code: 'Código del mensaje',
    codeHint: 'Ocho cifras.',
    reset: {
      heading: 'Elegir una nueva contraseña',
      button: 'Guardar la contraseña',
      used:
        'Si ha elegido su nueva contraseña con él, inicie sesión. Si no, solicite otro ' +
        'mensaje.',
    },
    password: 'Nueva contraseña',
    passwordHint: (minLength) =>
      `Al menos ${minLength} caracteres. Van bien varias palabras sin relación entre sí.`,
    done: {
      heading: 'Su contraseña se ha guardado',
      text:
        'Se ha cerrado la sesión en todos los dispositivos. ' +
        'Inicie sesión con la nueva contraseña.',
    },
    noToken:
      'Este enlace no está completo. Abra el enlace entero del mensaje o solicite otro mensaje.',
    requestAgain: 'Solicitar otro mensaje',
    faults: {
      code: 'El código no es correcto, ya se usó o ha caducado.',
      password: 'Elija otra contraseña.',
      tooMany: 'Demasiados intentos. Espere un momento y vuelva a intentarlo.',
      unavailable: 'Ahora no es posible. Vuelva a intentarlo dentro de unos segundos.',
    },
  },
}

// The texts of the pages that verify an address, in four languages.
import type { Language } from '../../mail/messages/message.ts'

export interface ConfirmPageTexts {
  readonly heading: string
  readonly intro: string
  readonly button: string
  readonly done: { readonly heading: string; readonly text: string }
  /** What to do if the link was used or has expired. */
  readonly used: string
}

export interface ConfirmTexts {
  /** The page for an account. */
  readonly verify: ConfirmPageTexts
  /** The page for a registration. */
  readonly finish: ConfirmPageTexts
  readonly password: string
  readonly username: string
  readonly usernameHint: string
  readonly noToken: string
  readonly faults: {
    readonly password: string
    readonly usernameTaken: string
    readonly emailTaken: string
    readonly tooMany: string
    readonly unavailable: string
  }
}

export const confirmTexts: Readonly<Record<Language, ConfirmTexts>> = {
  en: {
    verify: {
      heading: 'Confirm your address',
      intro:
        'Enter the password of your account. If you do not know it, another person has ' +
        'registered with your address: close this page.',
      button: 'Confirm the address',
      done: { heading: 'Your address is confirmed', text: 'You can close this page.' },
      used:
        'If you have confirmed your address with it, you can close this page. If not, ask for a ' +
        'new mail in the app where you registered.',
    },
    finish: {
      heading: 'Finish your registration',
      intro:
        'Enter the password that you chose when you registered. If you did not register, ' +
        'close this page: then no account is created.',
      button: 'Create the account',
      done: { heading: 'Your account is ready', text: 'You can log in now.' },
      used: 'If you have created your account with it, log in. If not, register once more.',
    },
    password: 'Password',
    username: 'Another user name',
    usernameHint:
      '2 to 63 letters, digits, dots, underscores or hyphens, with a letter or digit first.',
    noToken: 'This link is not complete. Open the whole link in the mail.',
    faults: {
      password: 'The password is wrong.',
      usernameTaken: 'Another person has this user name now. Choose another one.',
      emailTaken: 'There is an account with this address now. Log in, or request a new password.',
      tooMany: 'Too many tries. Wait a while and try again.',
      unavailable: 'This does not work at the moment. Try again in a few seconds.',
    },
  },
  de: {
    verify: {
      heading: 'Bestätigen Sie Ihre Adresse',
      intro:
        'Geben Sie das Passwort Ihres Kontos ein. Wenn Sie es nicht kennen, hat sich eine ' +
        'andere Person mit Ihrer Adresse registriert: Schließen Sie dann diese Seite.',
      button: 'Adresse bestätigen',
      done: {
        heading: 'Ihre Adresse ist bestätigt',
        text: 'Sie können diese Seite schließen.',
      },
      used:
        'Wenn Sie Ihre Adresse damit bestätigt haben, können Sie diese Seite schließen. Wenn ' +
        'nicht, fordern Sie in der App, in der Sie sich registriert haben, eine neue Mail an.',
    },
    finish: {
      heading: 'Schließen Sie Ihre Registrierung ab',
      intro:
        'Geben Sie das Passwort ein, das Sie bei der Registrierung gewählt haben. Wenn Sie sich ' +
        'nicht registriert haben, schließen Sie diese Seite: Dann entsteht kein Konto.',
      button: 'Konto anlegen',
      done: { heading: 'Ihr Konto ist bereit', text: 'Sie können sich jetzt anmelden.' },
      used:
        'Wenn Sie Ihr Konto damit angelegt haben, melden Sie sich an. Wenn nicht, registrieren ' +
        'Sie sich noch einmal.',
    },
    password: 'Passwort',
    username: 'Anderer Benutzername',
    usernameHint:
      '2 bis 63 Buchstaben ohne Umlaute, Ziffern, Punkte, Unterstriche oder Bindestriche; ' +
      'am Anfang ein Buchstabe oder eine Ziffer.',
    noToken: 'Dieser Link ist nicht vollständig. Öffnen Sie den ganzen Link aus der Mail.',
    faults: {
      password: 'Das Passwort ist falsch.',
      usernameTaken:
        'Diesen Benutzernamen hat inzwischen eine andere Person. Wählen Sie einen anderen.',
      emailTaken:
        'Mit dieser Adresse gibt es inzwischen ein Konto. ' +
        'Melden Sie sich an oder fordern Sie ein neues Passwort an.',
      tooMany: 'Zu viele Versuche. Warten Sie eine Weile und versuchen Sie es noch einmal.',
      unavailable: 'Das geht im Moment nicht. Versuchen Sie es in ein paar Sekunden noch einmal.',
    },
  },
  fr: {
    verify: {
      heading: 'Confirmez votre adresse',
      intro:
        'Saisissez le mot de passe de votre compte. Si vous ne le connaissez pas, une autre ' +
        'personne s’est inscrite avec votre adresse\u00a0: fermez cette page.',
      button: 'Confirmer l’adresse',
      done: { heading: 'Votre adresse est confirmée', text: 'Vous pouvez fermer cette page.' },
      used:
        'Si vous avez confirmé votre adresse avec ce lien, vous pouvez fermer cette page. Sinon, ' +
        'demandez un nouveau message dans l’application où vous vous êtes inscrit.',
    },
    finish: {
      heading: 'Terminez votre inscription',
      intro:
        'Saisissez le mot de passe que vous avez choisi lors de l’inscription. Si vous ne vous ' +
        'êtes pas inscrit, fermez cette page\u00a0: aucun compte ne sera créé.',
      button: 'Créer le compte',
      done: { heading: 'Votre compte est prêt', text: 'Vous pouvez maintenant vous connecter.' },
      used:
        'Si vous avez créé votre compte avec ce lien, connectez-vous. Sinon, inscrivez-vous de ' +
        'nouveau.',
    },
    password: 'Mot de passe',
    username: 'Autre nom d’utilisateur',
    usernameHint:
      'De 2 à 63 lettres sans accent, chiffres, points, tirets bas ou traits d’union, ' +
      'en commençant par une lettre ou un chiffre.',
    noToken: 'Ce lien est incomplet. Ouvrez le lien entier du message.',
    faults: {
      password: 'Le mot de passe est erroné.',
      usernameTaken: 'Une autre personne utilise déjà ce nom. Choisissez-en un autre.',
      emailTaken:
        'Il existe désormais un compte avec cette adresse. ' +
        'Connectez-vous, ou demandez un nouveau mot de passe.',
      tooMany: 'Trop de tentatives. Patientez un moment, puis réessayez.',
      unavailable: 'Ce n’est pas possible pour le moment. Réessayez dans quelques secondes.',
    },
  },
  es: {
    verify: {
      heading: 'Confirme su dirección',
      intro:
        'Introduzca la contraseña de su cuenta. Si no la conoce, otra persona se ha ' +
        'registrado con su dirección: cierre esta página.',
      button: 'Confirmar la dirección',
      done: { heading: 'Su dirección está confirmada', text: 'Puede cerrar esta página.' },
      used:
        'Si ha confirmado su dirección con él, puede cerrar esta página. Si no, solicite otro ' +
        'mensaje en la aplicación donde se registró.',
    },
    finish: {
      heading: 'Termine su registro',
      intro:
        'Introduzca la contraseña que eligió al registrarse. Si no se ha registrado, ' +
        'cierre esta página: no se creará ninguna cuenta.',
      button: 'Crear la cuenta',
      done: { heading: 'Su cuenta está lista', text: 'Ya puede iniciar sesión.' },
      used: 'Si ha creado su cuenta con él, inicie sesión. Si no, regístrese de nuevo.',
    },
    password: 'Contraseña',
    username: 'Otro nombre de usuario',
    usernameHint:
      'De 2 a 63 letras sin acentos, cifras, puntos, guiones bajos o guiones, ' +
      'y al principio una letra o una cifra.',
    noToken: 'Este enlace no está completo. Abra el enlace entero del mensaje.',
    faults: {
      password: 'La contraseña no es correcta.',
      usernameTaken: 'Otra persona ya tiene este nombre de usuario. Elija otro.',
      emailTaken:
        'Ya existe una cuenta con esta dirección. ' +
        'Inicie sesión o solicite una nueva contraseña.',
      tooMany: 'Demasiados intentos. Espere un momento y vuelva a intentarlo.',
      unavailable: 'Ahora no es posible. Vuelva a intentarlo dentro de unos segundos.',
    },
  },
}

// The texts of the pages for a new address and for an invitation, in four languages.
import type { Language } from '../../mail/messages/message.ts'
import type { SharedTexts, TokenPageTexts } from './token-page.ts'

export interface ChangeTexts extends SharedTexts {
  readonly confirm: TokenPageTexts
  readonly undo: TokenPageTexts
  readonly accept: TokenPageTexts
  readonly password: string
  readonly newPassword: string
  readonly newPasswordHint: (minLength: number) => string
  readonly username: string
  readonly usernameHint: string
  readonly yes: string
  readonly no: string
}

export const changeTexts: Readonly<Record<Language, ChangeTexts>> = {
  en: {
    confirm: {
      heading: 'Confirm your new address',
      intro:
        'Enter the password of your account. If you did not change an address, close this page: ' +
        'then nothing changes.',
      button: 'Confirm the address',
      done: { heading: 'Your address is changed', text: 'You can close this page.' },
      used:
        'If you have confirmed your address with it, you can close this page. If not, change the ' +
        'address in the app once more.',
    },
    undo: {
      heading: 'Undo the change of your address',
      intro:
        'Your account gets its old address back. All devices are logged out, and you get a mail ' +
        'to set a new password.',
      button: 'Undo the change',
      done: {
        heading: 'Your old address is back',
        text: 'Look into your mailbox, and set a new password with the link in the mail.',
      },
      used:
        'If you have undone the change with it, look into your mailbox: there is a mail to set a ' +
        'new password. If not, contact the people who run the app.',
    },
    accept: {
      heading: 'Create your account',
      intro: 'Choose the name and the password with which you will log in.',
      button: 'Create the account',
      done: { heading: 'Your account is ready', text: 'You can log in now.' },
      used:
        'If you have created your account with it, log in. If not, ask the person who invited ' +
        'you for a new invitation.',
    },
    password: 'Password',
    newPassword: 'Password',
    newPasswordHint: (minLength) =>
      `At least ${minLength} characters. Several words that do not belong together are good.`,
    username: 'User name',
    usernameHint:
      '2 to 63 letters, digits, dots, underscores or hyphens, with a letter or digit first.',
    yes: 'Yes',
    no: 'No',
    noToken: 'This link is not complete. Open the whole link in the mail.',
    faults: {
      password: 'The password is wrong, or the address is not free any more.',
      input: 'This is not possible.',
      taken: 'This user name or your address is already taken.',
      tooMany: 'Too many tries. Wait a while and try again.',
      unavailable: 'This does not work at the moment. Try again in a few seconds.',
    },
  },
  de: {
    confirm: {
      heading: 'Neue Adresse bestätigen',
      intro:
        'Geben Sie das Passwort Ihres Kontos ein. Wenn Sie keine Adresse geändert haben, ' +
        'schließen Sie diese Seite: Dann ändert sich nichts.',
      button: 'Adresse bestätigen',
      done: { heading: 'Ihre Adresse ist geändert', text: 'Sie können diese Seite schließen.' },
      used:
        'Wenn Sie Ihre Adresse damit bestätigt haben, können Sie diese Seite schließen. Wenn ' +
        'nicht, ändern Sie die Adresse in der App noch einmal.',
    },
    undo: {
      heading: 'Änderung Ihrer Adresse rückgängig machen',
      intro:
        'Ihr Konto bekommt die alte Adresse zurück. Alle Geräte werden abgemeldet, ' +
        'und Sie bekommen eine Mail für ein neues Passwort.',
      button: 'Rückgängig machen',
      done: {
        heading: 'Ihre alte Adresse gilt wieder',
        text:
          'Sehen Sie in Ihr Postfach und legen Sie über den Link in der Mail ' +
          'ein neues Passwort fest.',
      },
      used:
        'Wenn Sie die Änderung damit rückgängig gemacht haben, sehen Sie in Ihr Postfach: Dort ' +
        'ist eine Mail für ein neues Passwort. Wenn nicht, wenden Sie sich an die Betreiber der ' +
        'App.',
    },
    accept: {
      heading: 'Konto anlegen',
      intro: 'Wählen Sie den Namen und das Passwort, mit denen Sie sich anmelden werden.',
      button: 'Konto anlegen',
      done: { heading: 'Ihr Konto ist angelegt', text: 'Sie können sich jetzt anmelden.' },
      used:
        'Wenn Sie Ihr Konto damit angelegt haben, melden Sie sich an. Wenn nicht, bitten Sie die ' +
        'Person, die Sie eingeladen hat, um eine neue Einladung.',
    },
    password: 'Passwort',
    newPassword: 'Passwort',
    newPasswordHint: (minLength) =>
      `Mindestens ${minLength} Zeichen. Gut sind mehrere Wörter, die nicht zusammengehören.`,
    username: 'Benutzername',
    usernameHint:
      '2 bis 63 Buchstaben, Ziffern, Punkte, Unterstriche oder Bindestriche, ' +
      'zuerst ein Buchstabe oder eine Ziffer.',
    yes: 'Ja',
    no: 'Nein',
    noToken: 'Dieser Link ist nicht vollständig. Öffnen Sie den ganzen Link aus der Mail.',
    faults: {
      password: 'Das Passwort ist falsch, oder die Adresse ist nicht mehr frei.',
      input: 'Das geht so nicht.',
      taken: 'Dieser Benutzername oder Ihre Adresse ist schon vergeben.',
      tooMany: 'Zu viele Versuche. Warten Sie eine Weile und versuchen Sie es noch einmal.',
      unavailable: 'Das geht im Moment nicht. Versuchen Sie es in ein paar Sekunden noch einmal.',
    },
  },
  fr: {
    confirm: {
      heading: 'Confirmer votre nouvelle adresse',
      intro:
        'Saisissez le mot de passe de votre compte. Si vous n’avez pas modifié d’adresse, ' +
        'fermez cette page\u00a0: rien ne changera.',
      button: 'Confirmer l’adresse',
      done: { heading: 'Votre adresse est modifiée', text: 'Vous pouvez fermer cette page.' },
      used:
        'Si vous avez confirmé votre adresse avec ce lien, vous pouvez fermer cette page. Sinon, ' +
        'modifiez de nouveau l’adresse dans l’application.',
    },
    undo: {
      heading: 'Annuler la modification de votre adresse',
      intro:
        'Votre compte retrouve son ancienne adresse. Tous les appareils sont déconnectés, ' +
        'et vous recevez un message pour choisir un nouveau mot de passe.',
      button: 'Annuler la modification',
      done: {
        heading: 'Votre ancienne adresse est rétablie',
        text:
          'Consultez votre messagerie et choisissez un nouveau mot de passe ' +
          'avec le lien du message.',
      },
      used:
        'Si vous avez annulé la modification avec ce lien, consultez votre messagerie\u00a0: un ' +
        'message vous permet de choisir un nouveau mot de passe. Sinon, contactez les ' +
        'responsables de l’application.',
    },
    accept: {
      heading: 'Créer votre compte',
      intro: 'Choisissez le nom et le mot de passe avec lesquels vous vous connecterez.',
      button: 'Créer le compte',
      done: { heading: 'Votre compte est prêt', text: 'Vous pouvez maintenant vous connecter.' },
      used:
        'Si vous avez créé votre compte avec ce lien, connectez-vous. Sinon, demandez une ' +
        'nouvelle invitation à la personne qui vous a invité.',
    },
    password: 'Mot de passe',
    newPassword: 'Mot de passe',
    newPasswordHint: (minLength) =>
      `Au moins ${minLength} caractères. Plusieurs mots sans rapport entre eux conviennent bien.`,
    username: 'Nom d’utilisateur',
    usernameHint:
      '2 à 63 lettres, chiffres, points, tirets bas ou traits d’union, ' +
      'en commençant par une lettre ou un chiffre.',
    yes: 'Oui',
    no: 'Non',
    noToken: 'Ce lien est incomplet. Ouvrez le lien entier du message.',
    faults: {
      password: 'Le mot de passe est erroné, ou l’adresse n’est plus disponible.',
      input: 'Ce n’est pas possible.',
      taken: 'Ce nom d’utilisateur ou votre adresse est déjà pris.',
      tooMany: 'Trop de tentatives. Patientez un moment, puis réessayez.',
      unavailable: 'Ce n’est pas possible pour le moment. Réessayez dans quelques secondes.',
    },
  },
  es: {
    confirm: {
      heading: 'Confirmar su nueva dirección',
      intro:
        'Introduzca la contraseña de su cuenta. Si no ha cambiado ninguna dirección, ' +
        'cierre esta página: no cambiará nada.',
      button: 'Confirmar la dirección',
      done: { heading: 'Su dirección se ha cambiado', text: 'Puede cerrar esta página.' },
      used:
        'Si ha confirmado su dirección con él, puede cerrar esta página. Si no, vuelva a cambiar ' +
        'la dirección en la aplicación.',
    },
    undo: {
      heading: 'Deshacer el cambio de su dirección',
      intro:
        'Su cuenta recupera la dirección anterior. Se cierra la sesión en todos los ' +
        'dispositivos y recibe un mensaje para elegir una nueva contraseña.',
      button: 'Deshacer el cambio',
      done: {
        heading: 'Su dirección anterior está restablecida',
        text: 'Revise su correo y elija una nueva contraseña con el enlace del mensaje.',
      },
      used:
        'Si ha deshecho el cambio con él, revise su correo: hay un mensaje para elegir una nueva ' +
        'contraseña. Si no, póngase en contacto con los responsables de la aplicación.',
    },
    accept: {
      heading: 'Crear su cuenta',
      intro: 'Elija el nombre y la contraseña con los que iniciará sesión.',
      button: 'Crear la cuenta',
      done: { heading: 'Su cuenta está lista', text: 'Ya puede iniciar sesión.' },
      used:
        'Si ha creado su cuenta con él, inicie sesión. Si no, pida una nueva invitación a la ' +
        'persona que le invitó.',
    },
    password: 'Contraseña',
    newPassword: 'Contraseña',
    newPasswordHint: (minLength) =>
      `Al menos ${minLength} caracteres. Van bien varias palabras sin relación entre sí.`,
    username: 'Nombre de usuario',
    usernameHint:
      'De 2 a 63 letras, cifras, puntos, guiones bajos o guiones, ' +
      'empezando por una letra o una cifra.',
    yes: 'Sí',
    no: 'No',
    noToken: 'Este enlace no está completo. Abra el enlace entero del mensaje.',
    faults: {
      password: 'La contraseña no es correcta, o la dirección ya no está disponible.',
      input: 'Esto no es posible.',
      taken: 'Este nombre de usuario o su dirección ya está en uso.',
      tooMany: 'Demasiados intentos. Espere un momento y vuelva a intentarlo.',
      unavailable: 'Ahora no es posible. Vuelva a intentarlo dentro de unos segundos.',
    },
  },
}

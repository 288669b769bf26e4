import type { Language } from '../../mail/messages/message.ts'

/** The texts of the start page in production, and of the page for unknown paths. */
interface StartTexts {
  readonly start: { readonly heading: string; readonly text: string }
  readonly notFound: { readonly heading: string; readonly text: string; readonly toStart: string }
}

export const startTexts: Readonly<Record<Language, StartTexts>> = {
  en: {
    start: {
      heading: 'Log in with your app',
      text: 'This server has the accounts of an app. To log in, open the app.',
    },
    notFound: {
      heading: 'There is no page here',
      text: 'Check the address. If you come from a mail, open the whole link in the mail.',
      toStart: 'Go to the start page',
    },
  },
  de: {
    start: {
      heading: 'Melden Sie sich in Ihrer App an',
      text: 'Dieser Server hat die Konten einer App. Um sich anzumelden, öffnen Sie die App.',
    },
    notFound: {
      heading: 'Hier ist keine Seite',
      text:
        'Prüfen Sie die Adresse. Wenn Sie aus einer Mail kommen, ' +
        'öffnen Sie den ganzen Link aus der Mail.',
      toStart: 'Zur Startseite',
    },
  },
  fr: {
    start: {
      heading: 'Connectez-vous dans votre application',
      text:
        'Ce serveur contient les comptes d’une application. ' +
        'Pour vous connecter, ouvrez l’application.',
    },
    notFound: {
      heading: 'Il n’y a pas de page ici',
      text: 'Vérifiez l’adresse. Si vous venez d’un message, ouvrez le lien entier du message.',
      toStart: 'Aller à la page d’accueil',
    },
  },
  es: {
    start: {
      heading: 'Inicie sesión en su aplicación',
      text:
        'Este servidor contiene las cuentas de una aplicación. ' +
        'Para iniciar sesión, abra la aplicación.',
    },
    notFound: {
      heading: 'Aquí no hay ninguna página',
      text: 'Compruebe la dirección. Si viene de un mensaje, abra el enlace entero del mensaje.',
      toStart: 'Ir a la página de inicio',
    },
  },
}

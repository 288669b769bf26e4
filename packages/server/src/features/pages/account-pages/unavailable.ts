import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { markup } from '../../../pages/html.ts'
import type { Language } from '../../mail/messages/message.ts'
import { page, readerOf, type PageSettings } from './page-parts.ts'

interface Texts {
  readonly heading: string
  /** After the person has opened a page. */
  readonly opened: string
  /** After the person has sent a form. The address of the page may lack the token of the form. */
  readonly sent: string
  readonly again: string
}

const texts: Readonly<Record<Language, Texts>> = {
  en: {
    heading: 'This does not work at the moment',
    opened: 'This is not your fault. Try again in a moment.',
    sent: 'This is not your fault. Wait a moment, then go back and send the form again.',
    again: 'Try again',
  },
  de: {
    heading: 'Das geht im Moment nicht',
    opened: 'Es liegt nicht an Ihnen. Versuchen Sie es gleich noch einmal.',
    sent:
      'Es liegt nicht an Ihnen. Warten Sie einen Moment. Gehen Sie dann zurück und ' +
      'schicken Sie das Formular noch einmal ab.',
    again: 'Noch einmal versuchen',
  },
  fr: {
    heading: 'Ce n’est pas possible pour le moment',
    opened: 'Vous n’y êtes pour rien. Réessayez dans un instant.',
    sent:
      'Vous n’y êtes pour rien. Patientez un instant, puis revenez en arrière et ' +
      'renvoyez le formulaire.',
    again: 'Réessayer',
  },
  es: {
    heading: 'Ahora no es posible',
    opened: 'No es culpa suya. Vuelva a intentarlo dentro de un momento.',
    sent: 'No es culpa suya. Espere un momento, vuelva atrás y envíe el formulario otra vez.',
    again: 'Volver a intentarlo',
  },
}

/** Returns the page for a browser while the database does not answer. */
export function unavailablePage(request: HttpRequestWithBody, settings: PageSettings): HttpAnswer {
  const reader = readerOf(request, settings)
  const { heading, opened, sent, again } = texts[reader.language]
  const content =
    request.method === 'POST'
      ? markup`<p>${sent}</p>`
      : markup`<p>${opened}</p>
<p><a class="button" href="">${again}</a></p>`
  return page(reader, heading, content, { status: 503, retryAfterSeconds: 1 })
}

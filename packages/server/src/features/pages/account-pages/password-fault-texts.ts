// The faults of a new password in three languages. The password policy has them in English.
import type { PasswordFault } from '../../credentials/password-policy/policy.ts'
import type { Language } from '../../mail/messages/message.ts'

type Texts = Readonly<Record<PasswordFault['code'], string>>

export const passwordFaultTexts: Readonly<Record<Exclude<Language, 'en'>, Texts>> = {
  de: {
    password_malformed: 'Das Passwort hat ungültige Zeichen.',
    password_too_long: 'Das Passwort ist zu lang.',
    password_too_short: 'Das Passwort ist zu kurz.',
    password_guessable:
      'Das Passwort ist zu leicht zu erraten. ' +
      'Gut sind mehrere Wörter, die nicht zusammengehören.',
    password_has_name:
      'Das Passwort darf nicht Ihren Namen, Ihre Adresse oder den Namen dieses Dienstes enthalten.',
  },
  fr: {
    password_malformed: 'Le mot de passe contient des caractères non valides.',
    password_too_long: 'Le mot de passe est trop long.',
    password_too_short: 'Le mot de passe est trop court.',
    password_guessable:
      'Le mot de passe est trop facile à deviner. ' +
      'Plusieurs mots sans rapport entre eux conviennent bien.',
    password_has_name:
      'Le mot de passe ne doit pas contenir votre nom, votre adresse ou le nom de ce service.',
  },
  es: {
    password_malformed: 'La contraseña contiene caracteres no válidos.',
    password_too_long: 'La contraseña es demasiado larga.',
    password_too_short: 'La contraseña es demasiado corta.',
    password_guessable:
      'La contraseña es demasiado fácil de adivinar. ' +
      'Van bien varias palabras sin relación entre sí.',
    password_has_name:
      'La contraseña no debe contener su nombre, su dirección ni el nombre de este servicio.',
  },
}

// Checks the settings of mail. Each function returns what is wrong, in texts such as "must be …".
import { isHttpElsewhere } from '../../../base/this-machine.ts'
import type { Others, Values } from '../../../feature/setting.ts'
import { show } from '../../../feature/shown-value.ts'
import type { Wording } from '../../../feature/wording.ts'
import { mailUrlExample, parseMailUrl } from './mail-url.ts'
import { senderExample } from './sender-address.ts'

export function findUrlFaults(url: string): readonly string[] {
  try {
    parseMailUrl(url)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

/**
 * Checks the URL of the app's pages. The URL must be https, or http on this machine, because the
 * links to these pages contain tokens that other people on the network must not read.
 */
export function findPagesFaults(text: string): readonly string[] {
  const shown = show(text)
  if (!/^https?:\/\//.test(text) || !URL.canParse(text) || isHttpElsewhere(text))
    return [`must be an https URL, or an http URL of this machine; it is ${shown}`]

  const url = new URL(text)
  return /[?#]/.test(text) || url.username !== '' || url.password !== ''
    ? ['must not have a user, a query or a fragment']
    : []
}

/** If the app stores the users, checks that it tells Keystile their e-mail addresses. */
export function findMissingEmailFunction(values: Values): readonly string[] {
  return findMissingFunction(
    'email',
    values,
    'Keystile must know the addresses of your users. Fix: add email: (user) => user.email',
  )
}

/** If the app stores the users, checks that `users` has a function, or says why it must have it. */
export function findMissingFunction(
  name: 'email' | 'setPassword',
  { users }: Values,
  why: string,
): readonly string[] {
  const has = typeof (users as Partial<Record<string, unknown>> | undefined)?.[name] === 'function'
  return users === undefined || has ? [] : [`needs users.${name} too: ${why}`]
}

/** Checks that another setting is given too. With an invalid value, it counts as given. */
export function findMissingSetting(
  name: 'mailUrl' | 'mailFrom',
  { values, unread }: Others,
  say: Wording,
): readonly string[] {
  if (values[name] !== undefined || unread.has(name)) return []
  const example = name === 'mailFrom' ? senderExample : mailUrlExample
  return [`needs ${say.name(name)} too. Fix: ${say.set(name, example)}`]
}

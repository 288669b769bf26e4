// The commands `keystile key …`. `key list` decrypts no key, so it needs no sealing secret.

import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import type { Database } from '../../../storage/database.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { withEventFeed } from '../events/with-event-feed.ts'
import { ownKeysOf } from './own-keys.ts'
import { defaultTimes, findCurrent, listNext, stateOf, type KeyState } from './plan.ts'
import { createKeySeal, makeSealedKey, openSealedKey } from './sealed-keys.ts'
import { requireKeySecrets } from './sealing-secrets.ts'
import type { SigningKeyChoice } from './signing-key-source.ts'
import { advanceSigningKeys, listSigningKeyRows, revokeSigningKey } from './store.ts'
import type { NewKey, SigningKeyRow } from './tables.ts'

export type Options = SigningKeyChoice

export async function list(call: Call<Options>): Promise<void> {
  const { signingKey } = (await call.settings()).options
  if (signingKey)
    call.terminal.printError(
      `keystile: the key ${ownKeysOf(signingKey)[0].keyId} of the setting signingKey signs. The ` +
        'keys in the database do not sign while this setting is given',
    )

  await call.withDatabase(async (database) => {
    const keys = await listSigningKeyRows(database.reader)
    const now = call.clock.now()
    await printList(
      call,
      keys.map((key) => wireKey(key, stateOf(key, keys, now))),
      {
        columns,
        wire: (key) => key,
        none: signingKey
          ? 'there are no signing keys in the database'
          : 'there are no signing keys; the server makes one when it starts',
      },
    )
  })
}

type WireKey = ReturnType<typeof wireKey>

const columns: Listing<WireKey>['columns'] = [
  { title: 'KEY', width: 43, show: ({ key_id: id }) => id },
  { title: 'ALGORITHM', width: 9, show: ({ algorithm }) => algorithm },
  { title: 'CREATED', width: 24, show: ({ created_at: at }) => at },
  { title: 'STATE', width: 8, show: ({ state }) => state },
  { title: 'SIGNS FROM', width: 24, show: ({ signs_from: at }) => at },
  { title: 'SIGNS UNTIL', width: 0, show: ({ signs_until: at }) => at },
]

function wireKey(key: SigningKeyRow, state: KeyState) {
  return {
    key_id: key.id,
    algorithm: key.algorithm,
    created_at: new Date(key.created_at).toISOString(),
    state,
    signs_from: new Date(key.signs_from).toISOString(),
    signs_until: key.signs_until === null ? null : new Date(key.signs_until).toISOString(),
  }
}

/** Publishes the next signing key. If there is a next key already, only prints it. */
export async function rotate(call: Call<Options>): Promise<void> {
  const { flags, terminal, clock } = call
  const { options } = await call.settings()
  if (options.signingKey) {
    throw new ConfigurationError(
      'keystile cannot rotate the key of the setting signingKey. Fix: make that setting a JWK ' +
        'Set, add the next key at its end, and restart the server; an hour later, make it ' +
        'the first key',
    )
  }

  await call.withDatabase(async (database) => {
    const offered = await offerKey(database, options)
    const now = clock.now()
    const { inserted } = await database.write(advanceSigningKeys, {
      now,
      algorithm: offered.algorithm,
      offered,
      times: defaultTimes,
      forcedBy: byOperator,
    })
    const next = inserted ?? listNext(await listSigningKeyRows(database.reader), now)[0]
    if (!next)
      throw new Error('after a rotation, the database must have a next signing key; it has none')

    const signsFrom = new Date(next.signs_from).toISOString()
    const verb = inserted ? 'published' : 'already published'
    if (flags.has('json')) terminal.printJson({ key_id: next.id, signs_from: signsFrom })
    else terminal.print(`${verb} ${next.id}; it signs from ${signsFrom}`)
  })
}

/** Deletes a key, makes another key sign at once, and revokes all tokens of the deleted key. */
export async function revoke(call: Call<Options>): Promise<void> {
  const { operand: id, clock } = call
  const { options } = await call.settings()
  await withEventFeed(call, async (database, feed) => {
    const offered = options.signingKey ? undefined : await offerKey(database, options)
    const now = clock.now()
    const values = { id, offered, by: byOperator, now }
    const { found } = await database.write(revokeSigningKey, values)
    // The operator's own keys are not in the database, so any id may be one of them.
    if (!found && offered)
      throw new ConfigurationError(
        `there is no signing key ${id}; "keystile key list" lists the keys`,
      )
    await feed.tail()

    const current = offered && findCurrent(await listSigningKeyRows(database.reader), now)
    printRevoked(call, current)
  })
}

/**
 * Makes a key that the command can insert. First decrypts a stored key, to be sure that the server
 * will be able to decrypt the new key.
 *
 * @throws {ConfigurationError} if there is no stored key, or if it was encrypted with a different
 *   secret
 */
async function offerKey(database: Database, options: Options): Promise<NewKey> {
  const stored = (await listSigningKeyRows(database.reader)).at(-1)
  if (!stored)
    throw new ConfigurationError(
      'the database must have a signing key; it has none. Fix: start the server once',
    )
  const seal = createKeySeal(requireKeySecrets(options))
  openSealedKey(stored, seal)
  return makeSealedKey(options.signingAlgorithm, seal)
}

/** @param current the key that signs now; undefined if the operator's own key signs */
function printRevoked(
  { operand: id, flags, terminal }: Call<unknown>,
  current: SigningKeyRow | undefined,
): void {
  if (flags.has('json'))
    terminal.printJson({ revoked_key_id: id, signing_key_id: current?.id ?? null })
  else if (current)
    terminal.print(
      `revoked ${id}; ${current.id} signs now. Running servers refuse the tokens of the revoked ` +
        'key within a second',
    )
  else
    terminal.print(
      `revoked the tokens of ${id}; running servers refuse them within a second\n` +
        'Now remove this key from the setting signingKey and restart every server: until then, ' +
        'a server that signs with it issues tokens that are refused',
    )
}

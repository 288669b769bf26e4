import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countedMailbox } from './mailbox.ts'

it('all spellings of an address with different tags and letter case count as one mailbox', () => {
  for (const address of [
    'ada@example.com',
    'Ada+1@EXAMPLE.com',
    'ada+1+2@example.com',
    'ada+@example.com',
  ])
    assert.equal(countedMailbox(address), 'ada@example.com')
})

it('addresses that differ in anything else count as several mailboxes', () => {
  const addresses = ['ada@example.com', 'a.da@example.com', 'ada-1@example.com', 'ada@example.org']
  const tags = ['+ada@example.com', '+bob@example.com']
  const counted = [...addresses, ...tags].map(countedMailbox)
  assert.equal(new Set(counted).size, 6)
  assert.equal(countedMailbox('+ada+1@example.com'), '+ada@example.com')
})

// Code with mutants of each fate, for rooms.test.ts.
import { parentPort, workerData } from 'node:worker_threads'

export function isWithin(value: number, limit: number): boolean {
  return value <= limit
}

/** With `>=`, it returns the same number. */
export function larger(one: number, other: number): number {
  if (one > other) return one
  return other
}

/** Runs only in a thread. */
function sum(numbers: readonly number[]): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

/** Runs only in a process that a test starts. */
export function difference(one: number, other: number): number {
  return one - other
}

/** Is computed when the file is loaded. */
export const unit: string = ['m', 's'].join('')

export function neverCalled(): void {
  console.log(unit)
}

parentPort?.postMessage(sum(workerData))

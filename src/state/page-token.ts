/** Where a page ended: it names the store's incarnation, the space, the index and the question, and is good for nothing else. */
import { fault } from '../kit/fault.ts'
import type { FindPlan } from './find-plan.ts'

export function encodePage(at: string, incarnation: string, plan: FindPlan): string {
  return Buffer.from(JSON.stringify([incarnation, plan.name, at])).toString('base64url')
}

export function decodePage(token: string, incarnation: string, plan: FindPlan): string {
  const [of, name, at] = parsed(token)
  if (typeof at !== 'string' || !at.isWellFormed()) throw fault('PAGE_INVALID', 'this is no page of ours', {})
  if (of !== incarnation) throw fault('INCARNATION_OTHER', 'the page is of a store that was restored since', {})
  if (name !== plan.name) throw fault('PAGE_INVALID', 'the page is of another question', {})
  return at
}

function parsed(token: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

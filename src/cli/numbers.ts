/** Numbers on a command line. */
import { fault } from '../kit/fault.ts'

export function numberOf(name: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= least && number <= most) return number
  throw fault('USAGE_WRONG', `--${name} '${text}': write a whole number from ${least} to ${most}`, { [name]: text })
}

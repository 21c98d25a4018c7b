/** A rule that did not hold: which, and where. A run ends at its first. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly rule: string
  readonly detail: string

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`)
    this.rule = rule
    this.detail = detail
  }
}

/** The rule that a failed run broke; of anything else, what kind of error it is. */
export function ruleOf(failure: Error): string {
  return failure instanceof Violation ? failure.rule : `${failure.name}: ${failure.message.slice(0, 60)}`
}

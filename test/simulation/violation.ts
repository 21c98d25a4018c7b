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

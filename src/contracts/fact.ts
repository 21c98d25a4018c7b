/** A fact: the type of an event, and what happened. */
export interface Fact<Name extends string = string, Data = unknown> {
  readonly type: Name
  readonly data: Data
}

/** What the checks remember of commits, so that a power cut takes it back with them. */
export class Journal {
  #undo: { readonly applied: number; readonly back: () => void }[] = []
  #applied = 0

  /** What comes next belongs to this commit. */
  open(applied: number): void {
    this.#applied = applied
  }

  did(back: () => void): void {
    this.#undo.push({ applied: this.#applied, back })
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key)
    const before = map.get(key)
    map.set(key, value)
    this.did(() => {
      if (had) map.set(key, before as V)
      else map.delete(key)
    })
  }

  delete<K, V>(map: Map<K, V>, key: K): void {
    const before = map.get(key)
    if (!map.delete(key)) return
    this.did(() => map.set(key, before as V))
  }

  push<T>(list: T[], item: T): void {
    list.push(item)
    this.did(() => void list.pop())
  }

  flushed(upTo: number): void {
    let at = 0
    while (at < this.#undo.length && (this.#undo[at]?.applied ?? 0) <= upTo) at += 1
    if (at > 0) this.#undo = this.#undo.slice(at)
  }

  cut(): void {
    for (let at = this.#undo.length - 1; at >= 0; at--) this.#undo[at]?.back()
    this.#undo = []
  }
}

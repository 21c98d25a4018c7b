/** One text for one content, whatever order its members came in: what a repeat is compared by. Texts as RFC 8785 has them. */

/** Of a value that JSON carries. What JSON leaves out is left out, what it makes `null` is `null`. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) {
    let items = ''
    for (let at = 0; at < value.length; at++) items += (at === 0 ? '' : ',') + canonicalJson(value[at])
    return `[${items}]`
  }
  // What writes itself (a Date) is written as JSON writes it.
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(JSON.parse(JSON.stringify(value)))
  let members = ''
  for (const name of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, name)
    if (member === undefined || typeof member === 'function' || typeof member === 'symbol') continue
    members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

/** Whether two texts of JSON say the same. The usual case, that they are the same text, costs nothing. */
export function sameJson(one: string, other: string): boolean {
  return one === other || canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other))
}

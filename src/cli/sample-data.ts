/** Data that a JSON Schema allows, another for each number: what `bench` publishes where none is given. */
import { fault } from '../kit/fault.ts'

type Schema = Readonly<Record<string, unknown>>

/** Texts and numbers differ with `n`, so that keys do. What it cannot make is a fault that names the place. */
export function sampleOf(schema: Schema, n: number): unknown {
  return new Sampling(schema, n).of(schema, '')
}

class Sampling {
  readonly #root: Schema
  readonly #n: number

  constructor(root: Schema, n: number) {
    this.#root = root
    this.#n = n
  }

  of(schema: Schema, at: string): unknown {
    if ('const' in schema) return schema['const']
    if (Array.isArray(schema['enum'])) return schema['enum'][this.#n % schema['enum'].length]
    if (Array.isArray(schema['examples']) && schema['examples'].length > 0) return schema['examples'][this.#n % schema['examples'].length]
    if (typeof schema['$ref'] === 'string') return this.of(this.#referred(schema['$ref'], at), at)
    for (const word of ['anyOf', 'oneOf']) {
      const choices = schema[word]
      if (Array.isArray(choices)) return this.of(choices.find((one) => one.type !== 'null') ?? choices[0], at)
    }
    if (Array.isArray(schema['allOf'])) return Object.assign({}, ...schema['allOf'].map((one) => this.of(one, at)))
    return this.#ofType(schema, at)
  }

  #ofType(schema: Schema, at: string): unknown {
    const { type } = schema
    const one = Array.isArray(type) ? (type.find((name) => name !== 'null') ?? 'null') : type
    if (one === 'string') return this.#text(schema, at)
    if (one === 'integer' || one === 'number') return this.#number(schema)
    if (one === 'boolean') return this.#n % 2 === 0
    if (one === 'null') return null
    if (one === 'array') return this.#list(schema, at)
    if (one === 'object' || 'properties' in schema) return this.#object(schema, at)
    return `any ${this.#n}`
  }

  #object(schema: Schema, at: string): unknown {
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
    return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, this.of(one, `${at}/${name}`)]))
  }

  #list(schema: Schema, at: string): unknown {
    const { prefixItems, items, minItems } = schema
    if (Array.isArray(prefixItems)) return prefixItems.map((one, i) => this.of(one, `${at}/${i}`))
    if (typeof items !== 'object' || items === null) return []
    return Array.from({ length: Math.max(1, Number(minItems ?? 1)) }, () => this.of(items as Schema, `${at}/0`))
  }

  #number(schema: Schema): number {
    const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema
    const step = typeof multipleOf === 'number' ? multipleOf : 1
    const least = typeof minimum === 'number' ? minimum : typeof exclusiveMinimum === 'number' ? exclusiveMinimum + step : 1
    const most =
      typeof maximum === 'number' ? maximum : typeof exclusiveMaximum === 'number' ? exclusiveMaximum - step : Number.MAX_SAFE_INTEGER
    const first = Math.ceil(Math.max(least, -Number.MAX_SAFE_INTEGER) / step) * step
    return first + (this.#n % (Math.floor(Math.min(1_000, most - first) / step) + 1)) * step
  }

  #text(schema: Schema, at: string): string {
    const { format, pattern, minLength = 0, maxLength } = schema
    const n = this.#n
    const day = new Date(1_700_000_000_000 + n * 1_000).toISOString()
    const known: Readonly<Record<string, string>> = {
      'date-time': day,
      date: day.slice(0, 10),
      time: day.slice(11, 19),
      email: `someone${n}@example.com`,
      uri: `https://example.com/${n}`,
      url: `https://example.com/${n}`,
      hostname: `host${n}.example.com`,
      ipv4: `192.0.2.${n % 256}`,
      uuid: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
    }
    if (typeof format === 'string' && known[format] !== undefined) return known[format]
    if (typeof pattern === 'string')
      throw fault('USAGE_WRONG', `no text can be made up for ${at}, which must match ${pattern}: give --data`, { pointer: at })
    const text = `${at.split('/').at(-1) || 'text'}-${n}`.padEnd(Number(minLength), '-')
    return typeof maxLength === 'number' && text.length > maxLength ? String(n).slice(-maxLength).padStart(Number(minLength), '0') : text
  }

  /** `#/$defs/name`. */
  #referred(ref: string, at: string): Schema {
    let found: unknown = this.#root
    for (const part of ref
      .replace(/^#\/?/, '')
      .split('/')
      .filter((one) => one !== ''))
      found = (found as Readonly<Record<string, unknown>> | undefined)?.[part]
    if (typeof found !== 'object' || found === null || at.split('/').length > 20)
      throw fault('USAGE_WRONG', `no data can be made up for ${at}: give --data`, { pointer: at })
    return found as Schema
  }
}

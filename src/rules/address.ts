/** IP addresses have many spellings; two texts are the same address where these are equal. */

/** `undefined` for what is no address. Leading zeros of IPv4 parts are decimal. */
export function canonicalAddress(text: string): string | undefined {
  // Cheap for the many texts that are none: an address begins with a digit, a letter up to f, or a colon, and is short.
  if (text.length > 45 || !/^[0-9a-fA-F:][0-9a-fA-F:.]*$/.test(text)) return undefined
  return text.includes(':') ? sixOf(text) : fourOf(text)?.join('.')
}

function fourOf(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined
  return parts.map(Number)
}

function sixOf(text: string): string | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(groupsOf)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  if (tail === undefined) return head.length === 8 ? head.join(':') : undefined
  const zeros = 8 - head.length - tail.length
  return zeros < 1 ? undefined : [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].join(':')
}

/** The last one may be an IPv4 address, which stands for two. */
function groupsOf(half: string): readonly string[] | undefined {
  if (half === '') return []
  const groups: string[] = []
  const parts = half.split(':')
  for (const [index, part] of parts.entries()) {
    const four = index === parts.length - 1 && part.includes('.') ? fourOf(part) : undefined
    if (four !== undefined) groups.push(hex(four[0], four[1]), hex(four[2], four[3]))
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16).toString(16))
    else return undefined
  }
  return groups
}

function hex(high = 0, low = 0): string {
  return (high * 256 + low).toString(16)
}

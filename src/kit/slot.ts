/**
 * The slot of a key, 0 to 1023, stored with every event. It is for ever: another hash would take keys out of their order.
 * FNV-1a (32 bit) over the UTF-8 bytes, mixed by the finaliser of MurmurHash3, the lowest ten bits.
 */
export const slotCount = 1_024
const utf8 = new TextEncoder()

export function slotOf(key: string): number {
  let state = 0x811c9dc5
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at)
    if (unit > 0x7f) return slotOfBytes(utf8.encode(key))
    state = Math.imul(state ^ unit, 0x01000193)
  }
  return mixed(state)
}

function slotOfBytes(bytes: Uint8Array): number {
  let state = 0x811c9dc5
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193)
  return mixed(state)
}

function mixed(state: number): number {
  const first = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (second ^ (second >>> 16)) & (slotCount - 1)
}

/** A planted bug: text of the product that is replaced as its module loads. The product itself has no switch. */
export interface Bug {
  readonly name: string
  /** From the project's root. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** What of the guarantee table it breaks. */
  readonly rule: string
  /** Why no seed is known to find it in time: hunted only by `--unproved`, and counted apart. */
  readonly unproved?: string
}

/** The text with the bug in it. Throws where the text to replace does not stand exactly once: the bug is out of date. */
export function plant(text: string, { name, file, find, replace }: Bug): string {
  const pieces = text.split(find)
  if (pieces.length !== 2) throw new RangeError(`'${name}': the text to replace stands ${pieces.length - 1} times in ${file}`)
  return pieces.join(replace)
}

/** Many events in one turn: a source made of an event. */
import type { Duration } from '../kit/duration.ts'
import { atLeast, duration, made, onlyKnown, type Batch, type DataOf, type FactOf, type Source } from './definition.ts'
import type { AnyEvent } from './event.ts'

export interface BatchOptions<Data> {
  readonly size: number
  /** How long a batch that is not full waits for more. '0s': it takes what is there. */
  readonly wait: Duration
  /** Only events of one group share a batch. */
  by?(item: Data): string
}

export interface Batched<F extends Batch = Batch> extends Source<F> {
  readonly kind: 'batch'
  readonly source: AnyEvent
  readonly size: number
  readonly waitMs: number
  readonly by: ((data: unknown) => string) | undefined
}

/** `batched(Asked, { size: 100, wait: '5s' })` gives an array of what Asked gives. A batch that fails is halved. */
export function batched<E extends AnyEvent>(source: E, options: BatchOptions<DataOf<E>>): Batched<Batch<FactOf<E>>> {
  const what = `batched ${source.name}`
  onlyKnown(what, options, ['size', 'wait', 'by'])
  return made('batch', source.name, {
    source,
    size: atLeast(what, 'size', options.size, 1),
    waitMs: duration(what, 'wait', options.wait),
    by: options.by,
  })
}

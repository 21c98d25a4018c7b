/** Bugs of publishing and of the store behind it: rules 1 to 5. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'an unknown answer is taken for a yes',
    file: 'src/flow/publisher.ts',
    find: 'if (found.every((event) => event === undefined)) throw thrown',
    replace: 'if (found.every((event) => event === undefined)) return { at: [], repeated: false }',
    rule: '1: publish resolves after a flushed commit',
  },
  {
    name: 'an unknown publish is repeated by itself',
    file: 'src/flow/publisher.ts',
    find: 'if (found.every((event) => event === undefined)) throw thrown',
    replace: 'if (found.every((event) => event === undefined)) return publishStored(context, events)',
    rule: '1: calls for one key are stored in call order',
  },
  {
    name: 'the first event of a call goes ahead of the rest',
    file: 'src/flow/publisher.ts',
    find: '  return store.commit(changeOf(store, changeId(), { appends })).then(\n',
    replace:
      '  const both = async () => {\n' +
      '    const ahead = await store.commit(changeOf(store, changeId(), { appends: appends.slice(0, 1) }))\n' +
      '    const rest = ahead.ok && appends.length > 1 ? ' +
      'await store.commit(changeOf(store, changeId(), { appends: appends.slice(1) })) : ahead\n' +
      '    return ahead.ok && rest.ok && rest !== ahead ? { ...rest, at: [...ahead.at, ...rest.at] } : rest\n' +
      '  }\n' +
      '  return both().then(\n',
    rule: '1: a call is all or nothing',
  },
  {
    name: 'readers see what is not flushed',
    file: 'src/stores/memory-log.ts',
    find: 'if (position === undefined || position > head) {',
    replace: 'if (position === undefined) {',
    rule: '2: nothing sees an event before its commit is flushed',
  },
  {
    name: 'a refusal does not wait for what it saw',
    file: 'src/testing/sim-disk.ts',
    find: '    this.flushedThen(() => {\n',
    replace: '    const then0 = committed.ok ? (go: () => void) => this.flushedThen(go) : (go: () => void) => go()\n    then0(() => {\n',
    rule: '3: a duplicate shares the commit of the first (hole 12)',
  },
  {
    name: 'a commit is answered before it is flushed',
    file: 'src/testing/sim-disk.ts',
    find: '    this.flushedThen(() => {\n',
    replace: '    ;((go: () => void) => go())(() => {\n',
    rule: '1, 2: an answer is given of what is flushed (hole 14)',
  },
  {
    name: 'a known id is answered without a look',
    file: 'src/flow/publisher.ts',
    find: '  return repeated(events, await byId(store, events))',
    replace:
      '  return { at: (await byId(store, events)).flatMap((event) => ' +
      '(event === undefined ? [] : [{ lane: event.lane, position: event.position }])), repeated: true }',
    rule: '3: other content under a known id is a fault',
  },
  {
    name: 'a repeat may have other data',
    file: 'src/flow/publisher.ts',
    find: 'before.data === now.data',
    replace: 'before.data !== undefined',
    rule: '3: other content under a known id is a fault',
  },
  {
    name: 'a repeat may have another count',
    file: 'src/flow/publisher.ts',
    find: ' && countOf(first) === events.length',
    replace: '',
    rule: '3: another count under a known id is a fault',
  },
  {
    name: 'the store takes a known id',
    file: 'src/stores/memory-state.ts',
    find: 'if (seen.has(name) || known(name)) ids.add(name)',
    replace: 'if (seen.has(name)) ids.add(name)',
    rule: '3: the store refuses a known id in the commit',
  },
  {
    name: 'each type of a key has a lane of its own',
    file: 'src/stores/memory-log.ts',
    find: 'this.#laneOf[event.slot] ?? 0',
    replace: 'this.#laneOf[(event.slot + event.type.length * 256) % 1_024] ?? 0',
    rule: '4: equal keys share one order across types',
  },
  {
    name: 'a lane is read past what is not flushed',
    file: 'src/stores/memory-log.ts',
    find: "cursor.of === 'lane' ? head :",
    replace: "cursor.of === 'lane' ? this.head :",
    rule: '5: no reader passes a position that may still appear',
  },
  {
    name: 'a merged reader goes by the lane that is furthest',
    file: 'src/flow/reader.ts',
    find: 'slice.upTo < safe',
    replace: 'slice.upTo > safe',
    rule: '5, 9: merged reads all lanes by position',
  },
  {
    name: 'what was read and had no room is passed',
    file: 'src/flow/reader.ts',
    find: 'const passed = next === undefined || next.position > this.#safe ? this.#safe : taken',
    replace: 'const passed = next === undefined || taken !== undefined ? this.#safe : taken',
    rule: '5, 10: a mark passes what is settled',
  },
]

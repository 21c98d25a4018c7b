/**
 * Every fault there is: what callers outside see of it, and what to do. `docs/faults.md` has an entry for each; a test
 * compares the two.
 */
export interface CodeEntry {
  /** HTTP status. */
  readonly status: number
  readonly title: string
  /** What to do about it. */
  readonly todo: string
}

const table = {
  // The app's own code
  NOT_A_DURATION: { status: 500, title: 'Not a duration', todo: 'Write a number and a unit: 200ms, 30s, 5m, 12h, 14d.' },
  TURN_CLOSED: {
    status: 500,
    title: 'The turn is over',
    todo: 'Await everything inside the handler: what it stages after it returned, threw or timed out has no effect.',
  },
  HANDLER_TIMED_OUT: { status: 500, title: 'The handler took too long', todo: 'Make it faster, listen to ctx.signal, or raise `timeout`.' },
  // Definitions
  NAME_INVALID: {
    status: 500,
    title: 'Not a name',
    todo: 'Begin with a letter; then letters, digits, dots, dashes and underscores, 100 characters at most.',
  },
  OPTION_INVALID: {
    status: 500,
    title: 'An option that cannot be',
    todo: 'Read what the message says of the option, and write one of the values that it allows.',
  },
  PATTERN_INVALID: { status: 500, title: 'Not a pattern', todo: 'Correct `where` at the place that the pointer names.' },
  PATTERN_TOO_COSTLY: {
    status: 500,
    title: 'A pattern that takes too long on this event',
    todo: 'Ask for fewer fields of long arrays in one `where`, or decide inside the function.',
  },
  CONFIG_INVALID: {
    status: 500,
    title: 'The settings are not what the app needs',
    todo: 'Set the environment variables that are named, or write them into the file given by --env-file.',
  },
  // Schemas and versions
  VALIDATION_FAILED: {
    status: 422,
    title: 'The data is not what its schema asks for',
    todo: 'Correct the data at each of the places that are named.',
  },
  NOT_JSON: {
    status: 422,
    title: 'A value that JSON cannot carry',
    todo: 'Write texts, finite numbers, true, false, null, lists and plain objects: of a Date `toISOString()`, of a BigInt its text.',
  },
  KEY_INVALID: {
    status: 422,
    title: 'The event has no key',
    todo: 'Correct the `key` of the event: it takes data that the schema allows, and gives a text.',
  },
  SCHEMA_ASYNCHRONOUS: {
    status: 500,
    title: 'The schema is asynchronous',
    todo: 'Check in the schema only what the data itself can tell; ask others in a function.',
  },
  JSON_SCHEMA_MISSING: {
    status: 500,
    title: 'No JSON Schema to be had',
    todo: 'Give the app a converter for this library: app(…, { jsonSchema: { vendor: convert } }).',
  },
  EVENT_UNREADABLE: {
    status: 500,
    title: 'The data kept is not JSON',
    todo: 'The store was written by something else, or is damaged: discard the event, or edit it.',
  },
  UPCAST_FAILED: {
    status: 500,
    title: 'An older event could not be brought to today’s shape',
    todo: 'Correct `upcast` or `becomes` of the event, deploy, and redrive.',
  },
  VERSION_UNKNOWN: {
    status: 500,
    title: 'No way from this version',
    todo: 'Give the event an `upcast` from the version that is kept, deploy, and redrive.',
  },
  // Rows and questions
  ROW_SHARED: {
    status: 500,
    title: 'Two order keys meet in one row',
    todo: 'Give the projection `by`: the same text for all events that write the row.',
  },
  ROW_INVALID: { status: 500, title: 'Not a row of this projection', todo: 'Write rows of its shape, each under the key that it names.' },
  INDEXED_TOO_LONG: {
    status: 500,
    title: 'Too long a text to be found by',
    todo: 'Index something shorter, such as the beginning of the text or a hash of it, or leave the index away.',
  },
  FIND_INVALID: { status: 422, title: 'Not a question that rows can answer', todo: 'Look at the message: size, order or values are off.' },
  INDEX_MISSING: {
    status: 500,
    title: 'No index answers the question',
    todo: 'Declare the index that the message names, or ask along one that is declared.',
  },
  PAGE_INVALID: { status: 400, title: 'Not a page of this question', todo: 'Begin again without `page`; take `next` as it is.' },
  // The app
  APP_INVALID: {
    status: 500,
    title: 'Something is wrong with the app',
    todo: 'Mend what the message lists; `millrace check` lists it too.',
  },
  RESOURCE_NOT_LISTED: {
    status: 500,
    title: 'A resource that the app does not list',
    todo: 'Add it to the app: app(name, [..., theResource]).',
  },
  RESOURCE_FAILED: {
    status: 500,
    title: 'A resource could not be opened',
    todo: 'Look at the cause; the app starts once all its resources open.',
  },
  EMIT_UNDECLARED: { status: 500, title: 'An event that the function does not declare', todo: 'Add it to `emits`.' },
  EVENT_UNLISTED: {
    status: 500,
    title: 'An event that the app does not list',
    todo: 'Add it to the app, in the version that is published today.',
  },
  SPLIT_KEYS_DIFFER: {
    status: 500,
    title: 'The parts of one event have different order keys',
    todo: 'One stored event is one turn: give all its parts one `by` or `order`.',
  },
  // The flow
  NO_ORDER_OVER_LANES: {
    status: 500,
    title: 'The store has no order over lanes',
    todo: "Order by the event's key, or use a store with a global order.",
  },
  LANES_CHANGED: {
    status: 500,
    title: 'The subscription ran over other lanes before',
    todo: 'Give it a new name; the old one keeps what it has until `forget`.',
  },
  EDIT_NOT_JSON: { status: 422, title: 'The edited data is not JSON', todo: 'Give the whole data of the event as one JSON text.' },
  CRASHED_THRICE: {
    status: 500,
    title: 'The process died each time this event ran',
    todo: 'Find what in its handler ends the process; then redrive or discard it.',
  },
  UNKNOWN_VERSION: {
    status: 409,
    title: 'A version newer than this code knows',
    todo: 'Deploy the code that knows it: the key waits, nothing is lost.',
  },
  WAVE_TOO_LARGE: { status: 413, title: 'One turn stages more than a commit can take', todo: 'Emit or write less in one turn.' },
  // The doors
  JSON_BROKEN: { status: 400, title: 'The body is not JSON', todo: 'Correct it at the place that is named; JSON is written in UTF-8.' },
  ENVELOPE_INVALID: {
    status: 400,
    title: 'Not an event that can be taken',
    todo: 'Correct each of the places in `errors`: they point into the event.',
  },
  CONTENT_TYPE_UNKNOWN: {
    status: 415,
    title: 'A type of content that is not taken',
    todo: 'Send application/json, or a CloudEvent: binary, structured or in a batch.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    todo: 'Send less at once, or raise `bodyBytes` where the app is started.',
  },
  EVENT_UNKNOWN: {
    status: 422,
    title: 'No event of this name in the app',
    todo: 'Correct the name, or add the event to the list of the app.',
  },
  PUBLISH_BUSY: {
    status: 503,
    title: 'More calls wait than may',
    todo: 'Await what publish returns before the next call; from outside, try again in a moment.',
  },
  ID_TAKEN: {
    status: 409,
    title: 'Another call had this id, with other content',
    todo: 'Use a new id for new content; a repeat sends what was sent before.',
  },
  ROUTE_UNKNOWN: { status: 404, title: 'Nothing is here', todo: 'Compare the path with the routes of the app.' },
  ROUTE_TAKEN: {
    status: 500,
    title: 'Two doors at one place',
    todo: 'Change the method or the path of one: POST /events, GET /health, /ready and /problems/:code are taken too.',
  },
  NOTHING_FOUND: { status: 404, title: 'There is nothing of the kind', todo: 'Compare what was asked for with what is there.' },
  UNEXPECTED: { status: 500, title: 'Something went wrong here', todo: 'Look into the log of the server: what was thrown stands there.' },
  REQUEST_MALFORMED: { status: 400, title: 'Not a request that can be read', todo: 'Correct its address or its Host header.' },
  ADDRESS_TAKEN: { status: 500, title: 'Something else listens there', todo: 'Stop it, or give another port; port 0 takes any free one.' },
  ADDRESS_REFUSED: {
    status: 500,
    title: 'The system does not let us listen there',
    todo: 'Give an address of this machine, and a port of 1024 or above.',
  },
  METHOD_REFUSED: { status: 405, title: 'Not with this method', todo: 'Use one of the methods in the Allow header.' },
  HOST_REFUSED: {
    status: 403,
    title: 'Not a name of this server',
    todo: 'Add the name to `hosts` where the app is started, if it is one of yours.',
  },
  ORIGIN_REFUSED: {
    status: 403,
    title: 'Pages of this origin may not do that',
    todo: 'Add the origin to `origins` where the app is started, if it is one of yours.',
  },
  SIGNATURE_MISSING: {
    status: 401,
    title: 'The delivery is not signed',
    todo: 'Have the sender sign: with the headers of the scheme that the webhook names.',
  },
  SIGNATURE_MALFORMED: { status: 401, title: 'The signature cannot be read', todo: 'Compare the headers with what the scheme asks for.' },
  SIGNATURE_WRONG: {
    status: 401,
    title: 'The signature is wrong',
    todo: 'Compare the secret with that of the sender; nothing on the way may change the body.',
  },
  DELIVERY_STALE: {
    status: 400,
    title: 'The delivery was signed too long ago, or in the future',
    todo: 'Set the clocks right; a sender signs each attempt anew.',
  },
  SECRET_INVALID: {
    status: 500,
    title: 'A secret that cannot be one',
    todo: 'Set what the sender gave: for Standard Webhooks a secret, whsec_ and base64, or a public key, whpk_ and base64.',
  },
  DELIVERY_UNNAMED: {
    status: 400,
    title: 'The delivery has no id',
    todo: 'Have the sender give one, or make one of the body: webhook(…, { id }).',
  },
  // The store
  STORE_CLOSED: { status: 503, title: 'The store is closed', todo: 'Ask again once the app has started.' },
  STORE_FULL: {
    status: 507,
    title: 'The disk is full',
    todo: 'Make room: what was acknowledged is kept, and publishing goes on when there is some.',
  },
  STORE_UNOPENED: {
    status: 500,
    title: 'The store file cannot be opened',
    todo: 'Give a path to a file, in a folder that is there, and that this user may write to.',
  },
  STORE_FAILED: {
    status: 503,
    title: 'The store failed',
    todo: 'Look at the cause in the log; the call may be repeated under the same id.',
  },
  CHANGE_TOO_LARGE: { status: 413, title: 'More than one commit can take', todo: 'Publish fewer events at once, or smaller ones.' },
  INCARNATION_OTHER: {
    status: 409,
    title: 'The store is not the one this was made for',
    todo: 'It was restored meanwhile: start again from what it holds now.',
  },
  CHANGE_INVALID: {
    status: 500,
    title: 'A change that no store can keep',
    todo: 'Write kinds in lower-case letters, slots from 0 to 1023, and texts that are valid Unicode.',
  },
  NATIVE_UNSUPPORTED: {
    status: 500,
    title: 'This store takes no SQL',
    todo: 'Use a store on SQL, where `limits.native` is true, or keep the state in rows.',
  },
  CURSOR_UNKNOWN: {
    status: 400,
    title: 'No such place in the log',
    todo: 'Read from a lane of `limits.lanes`, and from a position that the store gave.',
  },
  STORE_HELD: {
    status: 503,
    title: 'Another process holds the store',
    todo: 'Stop the process that is named, or talk to it: one process owns a store file.',
  },
  STORE_SQLITE_OLD: {
    status: 500,
    title: 'SQLite is too old',
    todo: 'Use Node 22.22.3, 24.15 or newer: SQLite before 3.51.3 can damage a file.',
  },
  STORE_NOT_OURS: { status: 500, title: 'The file is no store of Millrace', todo: 'Give another path: this file was left as it was.' },
  STORE_NEWER: {
    status: 500,
    title: 'The store was written by a newer version',
    todo: 'Use that version of Millrace or a newer one: the file was left as it was.',
  },
  STORE_CORRUPT: {
    status: 500,
    title: 'The store file is damaged',
    todo: 'Keep a copy of all its files, then restore a backup: the file was left as it was.',
  },
  STORE_CANNOT_LOCK: {
    status: 500,
    title: 'The file system cannot lock',
    todo: 'Put the store on a local disk: network shares often cannot lock.',
  },
  TRIMMED: { status: 410, title: 'The event is no longer kept', todo: 'Read from the first position that is kept, or from the archive.' },
  // Operators and the command line
  SUBSCRIPTION_UNKNOWN: {
    status: 404,
    title: 'No subscription of this name',
    todo: 'Compare the name with those that `millrace subscriptions` lists.',
  },
  SUBSCRIPTION_RUNS: {
    status: 409,
    title: 'A running app has this subscription',
    todo: 'Take it out of the app first; then it may be forgotten.',
  },
  EVENT_NOT_FOUND: {
    status: 404,
    title: 'No event with this id',
    todo: 'Compare the id with those that `millrace tail --from start` shows; an event that was trimmed is gone.',
  },
  EVENT_AMBIGUOUS: {
    status: 409,
    title: 'Several events have this id',
    todo: 'Say which: millrace event ID --source SOURCE; each source has its own ids.',
  },
  DEAD_LETTER_UNKNOWN: {
    status: 404,
    title: 'No such dead letter',
    todo: 'Compare with what `millrace dead-letters` lists: it may have been redriven or discarded meanwhile.',
  },
  EDIT_REFUSED: {
    status: 409,
    title: 'This cannot be edited',
    todo: 'Redrive or discard it: a projection is what the log says, and its events stay as they are.',
  },
  OPERATION_INVALID: {
    status: 400,
    title: 'Not an operation that can be asked for',
    todo: 'Correct what the message names; `millrace COMMAND --help` shows examples.',
  },
  USAGE_WRONG: { status: 400, title: 'Not a command that can be read', todo: 'Run it with --help to see how it is written.' },
  APP_FILE_INVALID: {
    status: 500,
    title: 'The file gives no app',
    todo: 'Mend what the message names; the file is an ES module that exports one app: export const shop = app(…).',
  },
  APP_NOT_RUNNING: {
    status: 503,
    title: 'No running app has the store',
    todo: 'Start the app: `millrace start FILE`; only its code knows what an event must be.',
  },
  STORE_ABSENT: { status: 404, title: 'No store is there', todo: 'Give the path of the store with --store, or in MILLRACE_STORE.' },
  STORE_UNREACHABLE: {
    status: 503,
    title: 'The process that holds the store does not answer',
    todo: 'It may be starting or stopping: try again. Run the command as the same user, on the same machine.',
  },
  SOCKET_FAILED: {
    status: 500,
    title: 'The socket for operators could not be opened',
    todo: 'The app runs without it. Make its folder writable, and remove what stands in its place.',
  },
  // Tests
  TEST_RESTLESS: {
    status: 500,
    title: 'The app under test does not come to rest',
    todo: 'Look for a function that answers its own event, or raise what it waits for.',
  },
  TEST_UNHEALTHY: {
    status: 500,
    title: 'Something went wrong in the app under test',
    todo: 'Look at `deadLetters()` and `logged` of the app: they say what was thrown.',
  },
} as const satisfies Record<string, CodeEntry>

export type Code = keyof typeof table
export const codes: Readonly<Record<Code, CodeEntry>> = table

/** What `testApp` composes: the app on virtual time, and the event loop of Node around it. */
import type { App } from '../define/app.ts'
import { eventLoop } from '../hosts/event-loop.ts'
import { openTestApp, type TestApp, type TestAppOptions } from '../testing/test-app.ts'

/** Facts are frozen from here on: whoever changes one is told. */
export function testApp(app: App, options: TestAppOptions = {}): Promise<TestApp> {
  return openTestApp(app, eventLoop, options)
}

// A reporter of the test runner: the path of each file with a test that failed, a line each.
import type { TestEvent } from 'node:test/reporters';

/** Yields a line for each failed test: the file that it stands in. */
// biome-ignore lint/style/noDefaultExport: the test runner takes a reporter's default export
export default async function* failedFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.file !== undefined) yield `${data.file}\n`;
  }
}

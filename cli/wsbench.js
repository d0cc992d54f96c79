#!/usr/bin/env node
// The bin: plain JavaScript, so that it can speak before anything is built and on any Node.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/cli/main.js', import.meta.url);

if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`wsbench needs Node 20.12 or newer; this is ${process.versions.node}`);
  process.exitCode = 2;
} else if (!existsSync(main)) {
  console.error('not built: npm run build');
  process.exitCode = 2;
} else {
  const { main: run } = await import(main.href);
  await run();
}

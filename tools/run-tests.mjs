// Runs every suite in dist/test with uvu: `node tools/run-tests.mjs [pattern]`.
import { parse } from 'uvu/parse';
import { run } from 'uvu/run';

const root = new URL('../dist/test', import.meta.url).pathname;
const pattern = process.argv[2] ? new RegExp(process.argv[2]) : /\.test\.js$/;
const context = await parse(root, pattern, { ignore: [] });
context.suites = context.suites.filter((suite) => suite.name.endsWith('.test.js'));
await run(context.suites, { bail: false });

// Runs the suites in dist/test with uvu: `node tools/run-tests.mjs [--slow] [pattern]`.
// Suites are *.test.js; with --slow the *.slow.js ones, which need more than Node and take minutes.
import { fileURLToPath } from 'node:url';
import { parse } from 'uvu/parse';
import { run } from 'uvu/run';

const args = process.argv.slice(2);
const slow = args.includes('--slow');
const pattern = args.find((a) => !a.startsWith('--'));
const root = fileURLToPath(new URL('../dist/test', import.meta.url));
const context = await parse(root, pattern ? new RegExp(pattern) : /./, { ignore: [] });
const ending = slow ? '.slow.js' : '.test.js';
context.suites = context.suites.filter((suite) => suite.name.endsWith(ending));
await run(context.suites, { bail: false });

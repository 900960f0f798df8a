// The command's bundle (tools/bundle.mjs) with its code cache (tools/precompile.mjs): what V8's parser and compiler made of
// it when it was built. V8 does without the cache if it is another V8's, or not there.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const BUNDLE = join(__dirname, '../dist/bundle/cli/main.js');
const CACHE = `${BUNDLE}.cache`;

function readCache() {
  try {
    return readFileSync(CACHE);
  } catch {
    return undefined;
  }
}

/** Executes the bundle. Returns the script that it is, and what it exports. */
function loadBundle() {
  // esbuild writes ASCII, of which V8 makes a string without decoding it.
  const script = new Script(readFileSync(BUNDLE, 'latin1'), { filename: BUNDLE, cachedData: readCache() });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE);
  return { script, exports: module.exports };
}

module.exports = { BUNDLE, CACHE, loadBundle };

// SPDX-License-Identifier: Apache-2.0
// Asks tuf-js, a TUF client that knows nothing of stella, about published metadata.
//
//   node tuf_check.mjs CACHE METADATA-URL TARGETS-URL TARGET...
//
// CACHE holds root.json, the trusted root, and keeps what was accepted between calls, as a client's home does.
// Prints {"targets": {PATH: length}} and ends with 0, or {"error": NAME, "message": TEXT} and ends with 1.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

// The packages live in the build folder, so that the source tree stays as it is.
const require = createRequire(path.join(process.env.STELLA_ORACLES, 'package.json'));
const { Updater } = require('tuf-js');

const [cache, metadataBaseUrl, targetBaseUrl, ...targets] = process.argv.slice(2);
const targetDir = path.join(cache, 'targets');
fs.mkdirSync(targetDir, { recursive: true });
const updater = new Updater({
  metadataDir: cache,
  metadataBaseUrl,
  targetDir,
  targetBaseUrl,
  // On the medium a target lies under its own name; versions and digests are in the signed metadata.
  config: { prefixTargetsWithHash: false, fetchTimeout: 20000, fetchRetry: 0 },
});

try {
  await updater.refresh();
  const found = {};
  for (const target of targets) {
    const info = await updater.getTargetInfo(target);
    if (!info) throw new Error(`no role signs ${target}`);
    const file = path.join(targetDir, encodeURIComponent(target));
    await updater.downloadTarget(info, file);
    found[target] = fs.statSync(file).size;
  }
  console.log(JSON.stringify({ targets: found }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, message: String(error.message) }));
  process.exitCode = 1;
}

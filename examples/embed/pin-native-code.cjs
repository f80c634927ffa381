// Writes the hashes of the native modules to a file that is packaged into the asar. Sign the modules first, since that changes them.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { nativeHashes } = require('tokenkeep/native-code');

writeFileSync(
  join(__dirname, 'built/native-hashes.json'),
  JSON.stringify(nativeHashes(join(__dirname, 'node_modules'))),
);

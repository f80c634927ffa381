import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepArtifacts } from '../../scripts/session/view.mjs';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the artifacts of a copy of the clone are kept after each run, with their links as they are', () => {
  const folder = temporaryFolder();
  const [copy, root] = [join(folder, 'copy'), join(folder, 'root')];
  mkdirSync(join(copy, 'artifacts/packed/.bin'), { recursive: true });
  mkdirSync(root);
  symlinkSync('../cli.mjs', join(copy, 'artifacts/packed/.bin/tokenkeep'));
  symlinkSync('/bin/sh', join(copy, 'artifacts/packed/.bin/sh'));
  for (const run of ['first', 'second']) {
    writeFileSync(join(copy, 'artifacts/packed/cli.mjs'), run);
    keepArtifacts(copy, root);
    expect(readFileSync(join(root, 'artifacts/packed/.bin/tokenkeep'), 'utf8')).toBe(run);
    expect(readlinkSync(join(root, 'artifacts/packed/.bin/tokenkeep'))).toBe('../cli.mjs');
    expect(readlinkSync(join(root, 'artifacts/packed/.bin/sh'))).toBe('/bin/sh');
  }
});

/** Keys on a file system without hard links, such as a memory card: each case is an error that `link` returns there. */
import { readdirSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { keyFile } from '../../src-main/keychain/key-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { link } = promises;
afterEach(() => {
  promises.link = link;
  syncBuiltinESMExports();
});

it.each(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EINVAL', 'EISDIR'])(
  'where link answers %s, a key is created once and nothing else is left',
  async (code) => {
    promises.link = () => Promise.reject(Object.assign(new Error(code), { code }));
    syncBuiltinESMExports();
    const folder = temporaryFolder();
    const file = join(folder, 'key');
    await keyFile(file).set('s', 'a', 'kept');
    expect(await keyFile(file).get('s', 'a')).toBe('kept');
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.new-'))).toEqual(
      [],
    );
  },
);

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { DocumentError } from '../../src-main/errors.ts';
import { assertText, readDocumentFile } from '../../src-main/vault/exchange/document-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const textIn = async (path: string) => {
  const document = await readDocumentFile(path);
  assertText(document);
  return document.content.toString();
};

async function refusal(path: string): Promise<DocumentError> {
  const error: unknown = await textIn(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DocumentError);
  return error as DocumentError;
}

it('returns name and content, and reports the size before it reads', async () => {
  const path = file('cache.json', '{"Account":{"é":1}}');
  const reading = vi.fn();
  expect(await readDocumentFile(path, reading)).toEqual({
    name: 'cache.json',
    content: Buffer.from('{"Account":{"é":1}}'),
  });
  expect(reading.mock.calls).toEqual([[{ fileName: 'cache.json', bytes: 20 }]]);
});

it('reads a file that says it has no size', async () => {
  expect(await textIn('/proc/self/status')).toContain('Name:');
});

it('closes a file that can’t be looked up, and names it', async () => {
  const path = file('stale.json', '{}');
  const probe = await open(path);
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const stat = vi
    .spyOn(handles, 'stat')
    .mockRejectedValueOnce(Object.assign(new Error('stat'), { code: 'ESTALE' }));
  const { message } = await refusal(path);
  expect(message).toBe('“stale.json” can’t be read (ESTALE). Nothing was imported.');
  const [opened] = stat.mock.contexts as FileHandle[];
  expect(opened?.fd).toBe(-1);
  stat.mockRestore();
});

describe('each kind of invalid file has its own error message', () => {
  it('empty', async () => {
    const error = await refusal(file('empty.json', ''));
    expect(error.code).toBe('document_not_json');
    expect(error.message).toBe('“empty.json” is empty. Nothing was imported.');
  });

  it('binary', async () => {
    expect((await refusal(file('image.png', Buffer.from('89504e470d0a1a0a0000', 'hex')))).message).toContain(
      'not a text file',
    );
  });

  it('a vault', async () => {
    const vault = await refusal(fileURLToPath(new URL('../vectors/vaults/base.vault', import.meta.url)));
    expect(vault.code).toBe('document_not_a_cache');
    expect(vault.message).toMatch(
      /is a vault file, not an export: .* Nothing was imported. Export its accounts/,
    );
  });

  it('UTF-16', async () => {
    const error = await refusal(file('wide.json', Buffer.from('\ufeff{}', 'utf16le')));
    expect(error.message).toContain('encoded as UTF-16');
  });

  it('Latin-1', async () => {
    const error = await refusal(file('latin.json', Buffer.from('{"name":"Jos\xe9"}', 'latin1')));
    expect(error.message).toContain('not UTF-8');
  });

  it('too large, by what it says', async () => {
    const path = file('large.json', '');
    truncateSync(path, 200 * 1024 * 1024); // no blocks of the disk are used
    const error = await refusal(path);
    expect(error.code).toBe('document_too_large');
    expect(error.message).toBe(
      '“large.json” has 200 MB. Cache documents of up to 128 MB can be imported. Nothing was imported.',
    );
  });

  it('a folder', async () => {
    const path = join(folder, 'a folder');
    mkdirSync(path);
    expect((await refusal(path)).message).toContain('is a folder');
  });

  it('a device that never ends', async () => {
    expect((await refusal('/dev/zero')).message).toContain('a device or a pipe');
  });

  it('a pipe without a writer', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    expect((await refusal(path)).message).toContain('a device or a pipe');
  });

  it('no file', async () => {
    const error = await refusal(join(folder, 'nowhere.json'));
    expect(error.code).toBe('document_unreadable');
    expect(error.message).toBe('“nowhere.json” is not there. Nothing was imported.');
  });

  it('links in a circle', async () => {
    const path = join(folder, 'circle');
    symlinkSync(path, path);
    expect((await refusal(path)).message).toContain('links lead in a circle');
  });

  it.skipIf(process.getuid?.() === 0)('without permission', async () => {
    const path = file('closed.json', '{}');
    chmodSync(path, 0);
    expect((await refusal(path)).message).toContain('no permission');
  });

  it('with a misleading name', async () => {
    const error = await refusal(join(folder, 'evil\u202egnp.exe\n\n'));
    expect(error.message).not.toMatch(/[\n\u202e]/u);
  });
});

/** [Note: the demo is a vault of its own] It lies in a folder that is deleted on leaving the demo; its key stays in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryKeychain, openVault, SerializableTokenCache, type Vault } from 'tokenkeep';
import { merge } from 'tokenkeep/cache';
import { recordDemoActivity } from './activity.ts';
import { demoDocument } from './document.ts';

export interface DemoVault {
  vault: Promise<Vault>;
  close(): Promise<void>;
}

export function openDemoVault(): DemoVault {
  let folder: string | undefined;
  const open = async (): Promise<Vault> => {
    folder = mkdtempSync(join(tmpdir(), 'tokenkeep-demo-'));
    return openIn(folder);
  };
  const vault = open();
  return {
    vault,
    async close() {
      try {
        await (await vault).close();
      } finally {
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

async function openIn(folder: string): Promise<Vault> {
  const file = join(folder, 'demo.vault');
  const vault = await openVault({ file, keychain: memoryKeychain(), unprotected: 'memory' });
  const document = new SerializableTokenCache();
  const now = Math.floor(Date.now() / 1000);
  document.deserialize(demoDocument(now));
  await vault.update((cache) => {
    merge(cache, document);
    recordDemoActivity(cache, now);
  });
  return vault;
}

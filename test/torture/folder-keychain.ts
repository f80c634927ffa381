import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Keychain } from '../../src-main/keychain/keychain.ts';

/**
 * A keychain that outlives processes and is shared by them: one file for each item, replaced by a rename. It protects nothing, and is used
 * because two thousand processes would need an hour to ask a real one. Like a real one, it does not block the main thread while the disk is
 * slow.
 */
export class FolderKeychain implements Keychain {
  readonly label = 'Folder';
  readonly folder: string;
  /** Called before each call, with text such as `set a`. */
  before: (call: string) => void | Promise<void> = () => delay(1);

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async get(_service: string, account: string): Promise<string | null> {
    await this.before(`get ${slotIn(account)}`);
    try {
      return await readFile(this.#place(account), 'utf8');
    } catch {
      return null;
    }
  }

  async set(_service: string, account: string, secret: string): Promise<void> {
    await this.before(`set ${slotIn(account)}`);
    const place = this.#place(account);
    await writeFile(`${place}.${process.pid}`, secret);
    await rename(`${place}.${process.pid}`, place);
  }

  async delete(_service: string, account: string): Promise<void> {
    await this.before(`delete ${slotIn(account)}`);
    await rm(this.#place(account), { force: true });
  }

  /** The slots for which it has a key: `a`, `b`. */
  slots(): string[] {
    return readdirSync(this.folder)
      .filter((name) => /-[ab]$/.test(name))
      .map((name) => name.slice(-1))
      .sort();
  }

  /** Its secrets, by account. */
  items(): Map<string, string> {
    const names = readdirSync(this.folder).filter((name) => /-[ab]$/.test(name));
    return new Map(
      names.map((name) => [name.replace('-', '/'), readFileSync(join(this.folder, name), 'utf8')]),
    );
  }

  /** Deletes the key in this slot, as somebody else could. */
  lose(slot: string): void {
    for (const account of this.items().keys()) if (slotIn(account) === slot) rmSync(this.#place(account));
  }

  /** The vault was copied together with its keychain, so it is not a copy here. */
  moveTo(file: string): void {
    for (const [account, text] of this.items()) {
      const item: object = JSON.parse(text);
      writeFileSync(this.#place(account), JSON.stringify({ ...item, file }));
    }
  }

  #place(account: string): string {
    return join(this.folder, account.replace('/', '-'));
  }
}

function slotIn(account: string): string {
  return account.slice(account.indexOf('/') + 1);
}

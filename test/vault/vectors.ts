// The vault files in test/vectors/vaults, made from nothing but this page: the same bytes at every run.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { encodeBatch, type FrameMetadata, type StoredChange } from '../../src-main/vault/format/batch.ts';
import { contentLength, sealFrame, sealingOf } from '../../src-main/vault/format/frame.ts';
import {
  encodeHeader,
  FRAMES_AT,
  HEADER_COPY_AT,
  HEADER_LENGTH,
  keyCheck,
} from '../../src-main/vault/format/header.ts';
import { NO_HISTORY } from '../../src-main/vault/format/history.ts';
import { encodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import { buildImage, type Group, type Image } from '../../src-main/vault/format/manifest.ts';

/** The result that a reader must get from a file. */
export interface VaultVector {
  name: string;
  /** What the keychain holds, by account. */
  keychain: Record<string, string>;
  state: 'ready' | 'key-missing' | 'wrong-key' | 'damaged' | 'newer';
  /** `section key` and the secret, or null where the entry has none, of all that can be read, sorted. */
  entries: [place: string, secret: string | null][];
  /** The accounts and user names of the index; null where it can't be read. */
  index: [account: string, usernames: string[]][] | null;
}

const NOW = 1_780_000_000;
const FILE_ID = Buffer.alloc(16, 0x5a);
const KEY = bytesFrom('vault key')(32);

/** Bytes that depend only on the words, so they are the same in every run. */
function bytesFrom(words: string): (length: number) => Buffer {
  let block = 0;
  let pool = Buffer.alloc(0);
  return (length) => {
    while (pool.length < length) {
      pool = Buffer.concat([pool, createHash('sha256').update(`${words} ${block}`).digest()]);
      block += 1;
    }
    const bytes = pool.subarray(0, length);
    pool = pool.subarray(length);
    return bytes;
  };
}

function entriesOf(user: string, secret = `${user}'s`): StoredChange[] {
  const account = { home_account_id: `${user}.tenant`, environment: 'login.microsoftonline.com' };
  return [
    {
      section: 'Account',
      key: `${user}.tenant-e-tenant`,
      after: { ...account, realm: 'tenant', username: `${user}@contoso.example`, authority_type: 'MSSTS' },
    },
    {
      section: 'RefreshToken',
      key: `${user}.tenant-e-refreshtoken-app--`,
      after: { credential_type: 'RefreshToken', secret: `refresh ${secret}`, ...account, client_id: 'app' },
    },
    {
      section: 'IdToken',
      key: `${user}.tenant-e-idtoken-app-tenant-`,
      after: {
        credential_type: 'IdToken',
        secret: `id ${secret} ü€😀`,
        ...account,
        realm: 'tenant',
        client_id: 'app',
      },
    },
  ];
}

function rowOf(account: string, entries: number, username: string): Group['row'] {
  const [uid = '', tenant = ''] = account.split('.');
  const user = {
    home_account_id: account,
    environment: 'login.microsoftonline.com',
    username,
    local_account_id: uid,
    authority_type: 'MSSTS',
    tenants: [{ realm: tenant, local_account_id: uid, username }],
  };
  // The vectors' tokens have no times; [type, cached, modified, expires].
  const times = [null, null, null] as const;
  const tokens = entries === 1 ? [[1, ...times]] : [1, 2].map((type) => [type, ...times]);
  const outline = JSON.stringify([null, null, null, entries === 1 ? [] : ['app'], tokens]);
  return { account, entries, notUnderstood: 0, grants: [], atOnce: false, users: [user], outline };
}

function groupOf(user: string): Group {
  const frame = encodeBatch({ changes: entriesOf(user) }, bytesFrom(user)(32));
  return { row: rowOf(`${user}.tenant`, 3, `${user}@contoso.example`), frames: [frame] };
}

/** Entries that belong to no account: app metadata, an unknown entity, and an unknown root. */
const LOOSE: StoredChange[] = [
  {
    section: 'AppMetadata',
    key: 'appmetadata-e-app',
    after: { client_id: 'app', environment: 'e', family_id: '1' },
  },
  { section: 'AccessToken', key: 'odd', after: { secret: 'odd one', target: null } },
  { section: 'AccessToken', key: 'no object', after: ['list'] },
  { section: 'FutureToken', key: null, after: { a: { secret: 'not sealed by itself' } } },
];

function image(slot: 'a' | 'b' = 'a', notes: FrameMetadata = {}): Image {
  const loose = encodeBatch({ changes: LOOSE }, bytesFrom('loose')(32));
  const { pending = null, tombstones = [] } = notes;
  return buildImage(
    {
      fileId: FILE_ID,
      generation: 7n,
      slot,
      manifest: {
        keyMadeAt: NOW,
        profile: 'msal-node',
        pending,
        epoch: tombstones.length,
        tombstones,
        writer: 'writer-1',
        history: NO_HISTORY,
      },
      groups: [groupOf('ada'), groupOf('ben'), { row: null, frames: [loose] }],
    },
    KEY,
    bytesFrom(`image ${slot}`),
  );
}

/** A file with frames appended to it. */
function appended(
  { bytes, header, end }: Image,
  batches: readonly (FrameMetadata & { changes: StoredChange[] })[],
): Buffer {
  const sealing = sealingOf(KEY, header, encodeHeader(header));
  const random = bytesFrom('appended');
  let file = bytes;
  let { ordinal, previousTag } = end;
  for (const batch of batches) {
    const content = encodeBatch(batch, random(32));
    const frame = Buffer.alloc(contentLength(content));
    previousTag = sealFrame(frame, 0, sealing, { ordinal, previousTag }, content, random(32));
    ordinal += 1;
    file = Buffer.concat([file, frame]);
  }
  return file;
}

function listed(...changes: StoredChange[]): VaultVector['entries'] {
  const entries = new Map<string, string | null>();
  for (const { section, key, after } of changes) {
    const place = key === null ? section : `${section} ${key}`;
    const secret =
      key !== null && typeof after === 'object' && after !== null && 'secret' in after ? after.secret : null;
    entries.set(place, typeof secret === 'string' ? secret : null);
  }
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function altered(bytes: Buffer, alter: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  alter(copy);
  return copy;
}

function flipped(bytes: Buffer, ...places: number[]): Buffer {
  return altered(bytes, (copy) => {
    for (const at of places) copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  });
}

/** Writes both copies of the header as a later version would that has this key. */
export function makeNewer(file: Buffer, key: Buffer): void {
  for (const at of [0, HEADER_COPY_AT]) {
    const header = file.subarray(at, at + HEADER_LENGTH);
    header.writeUInt32LE(3, 8);
    keyCheck(key, header.subarray(0, 80)).copy(header, 80);
    createHash('sha256').update(header.subarray(0, 96)).digest().copy(header, 96);
  }
}

export function vaultVectors(): { vector: VaultVector; bytes: Buffer }[] {
  const base = image();
  const [ada, ben] = [entriesOf('ada'), entriesOf('ben')];
  const all = listed(...ada, ...ben, ...LOOSE);
  const update = [
    { changes: entriesOf('ada', 'newer') },
    { changes: [{ section: 'AccessToken', key: 'odd' }, ...entriesOf('cas')], pending: null },
  ];
  const grown = appended(base, update);
  const withoutOdd = LOOSE.filter(({ key }) => key !== 'odd');
  const latest = listed(...entriesOf('ada', 'newer'), ...ben, ...entriesOf('cas'), ...withoutOdd);
  const once = appended(base, update.slice(0, 1));
  const afterOnce = listed(...entriesOf('ada', 'newer'), ...ben, ...LOOSE);
  const departed = { mark: 'AAAAAAAAAAAAAAAAAAAAAA==', epoch: 1, at: NOW };
  const starts = startsOf(grown);
  const inFrame = (n: number): number => (starts[n] ?? 0) + 100;
  const kept = (key: Buffer, slot: string): VaultVector['keychain'] => ({
    [`${FILE_ID.toString('hex')}/${slot}`]: encodeKeyItem({ key, mark: null, file: null, name: 'my-äpp' }),
  });
  const own = kept(KEY, 'a');
  const other = kept(bytesFrom('another key')(32), 'a');
  const newer = altered(base.bytes, (copy) => makeNewer(copy, KEY));
  const forged = altered(base.bytes, (copy) => makeNewer(copy, bytesFrom('another key')(32)));
  const lastSector = Math.ceil((once.length + 1) / 512) * 512;
  const made: [string, Buffer, VaultVector['keychain'], VaultVector['state'], VaultVector['entries']][] = [
    ['base', base.bytes, own, 'ready', all],
    ['appended', grown, own, 'ready', latest],
    [
      'slot-b',
      image('b', { pending: 'destroy', tombstones: [departed] }).bytes,
      kept(KEY, 'b'),
      'ready',
      all,
    ],
    ['free-space', Buffer.concat([grown, Buffer.alloc(700)]), own, 'ready', latest],
    ['torn-short', grown.subarray(0, once.length + 30), own, 'ready', afterOnce],
    ['torn-end', grown.subarray(0, grown.length - 1), own, 'ready', afterOnce],
    [
      'torn-hole',
      altered(grown, (copy) => copy.fill(0, lastSector, Math.min(lastSector + 512, copy.length))),
      own,
      'ready',
      afterOnce,
    ],
    ['newer', newer, own, 'newer', []],
    ['newer-forged', forged, own, 'damaged', []],
    ['newer-by-a-flipped-bit', flipped(base.bytes, 8, HEADER_COPY_AT + 8), own, 'damaged', []],
    ['wrong-key', base.bytes, other, 'wrong-key', []],
    ['key-missing', base.bytes, kept(KEY, 'b'), 'key-missing', []],
    ['header-1-damaged', flipped(grown, 50), own, 'damaged', latest],
    ['header-2-damaged', flipped(grown, HEADER_COPY_AT + 50), own, 'damaged', latest],
    ['headers-damaged', flipped(grown, 50, HEADER_COPY_AT + 50), own, 'damaged', []],
    ['first-page-zeroed', altered(grown, (copy) => copy.fill(0, 0, 4096)), own, 'damaged', latest],
    ['manifest-damaged', flipped(base.bytes, inFrame(0)), own, 'damaged', all],
    ['account-damaged', flipped(base.bytes, inFrame(1)), own, 'damaged', listed(...ben, ...LOOSE)],
    ['account-forged', forgedAt(base.bytes, starts[1] ?? 0), own, 'damaged', listed(...ben, ...LOOSE)],
    ['length-damaged', flipped(base.bytes, starts[1] ?? 0), own, 'damaged', listed(...ben, ...LOOSE)],
    ['last-damaged', flipped(grown, grown.length - 1), own, 'damaged', afterOnce],
    ['base-cut', base.bytes.subarray(0, inFrame(3)), own, 'damaged', listed(...ada, ...ben)],
    ['zero-bytes', Buffer.alloc(0), own, 'damaged', []],
    ['no-vault', Buffer.from('{"AccessToken":{}}\n'), own, 'damaged', []],
  ];
  return made.map(([name, bytes, keychain, state, entries]) => ({
    vector: { name, keychain, state, entries, index: isIndexed(name, entries) ? INDEX : null },
    bytes,
  }));
}

const INDEX: VaultVector['index'] = ['ada', 'ben'].map((user) => [
  `${user}.tenant`,
  [`${user}@contoso.example`],
]);

function isIndexed(name: string, entries: VaultVector['entries']): boolean {
  return entries.length > 0 && name !== 'manifest-damaged';
}

/** Flips a bit of a frame's ciphertext, and corrects the checksum, as someone without the key can. */
export function forgedAt(file: Buffer, at: number): Buffer {
  return altered(file, (copy) => {
    const [body, sealed] = [copy.readUInt32LE(at), copy.readUInt32LE(at + 4)];
    const crcAt = at + 80 + sealed + body;
    copy.writeUInt8(copy.readUInt8(crcAt - 17) ^ 1, crcAt - 17);
    copy.writeUInt32LE(crc32(copy.subarray(at + 64, crcAt)), crcAt);
  });
}

export function startsOf(file: Buffer): number[] {
  const starts: number[] = [];
  for (let at = HEADER_COPY_AT + HEADER_LENGTH; at < file.length; ) {
    starts.push(at);
    at += 84 + file.readUInt32LE(at) + file.readUInt32LE(at + 4);
  }
  return starts;
}

/** The bytes that the worked example of FORMAT.md is made from. */
function counting(from: number): (length: number) => Buffer {
  let next = from;
  return (length) => Buffer.from(Array.from({ length }, () => next++ % 256));
}

/** The file of the worked example in FORMAT.md. */
export function exampleFile(): Buffer {
  const fileId = Buffer.alloc(16, 0xa0);
  const value = { credential_type: 'RefreshToken', secret: 's3cret', home_account_id: 'u.t' };
  const changes = [{ section: 'RefreshToken', key: 'u.t-k', after: value }];
  const frame = encodeBatch({ changes }, Buffer.alloc(32, 0xc0));
  const { bytes } = buildImage(
    {
      fileId,
      generation: 1n,
      slot: 'a',
      manifest: {
        keyMadeAt: 1_780_000_000,
        profile: 'msal-python',
        pending: null,
        epoch: 0,
        tombstones: [],
        writer: 'writer-1',
        history: NO_HISTORY,
      },
      groups: [{ row: rowOf('u.t', 1, 'ada'), frames: [frame] }],
    },
    counting(0)(32),
    counting(0x20),
  );
  return bytes;
}

/** A file as the worked example prints it. */
export function printed(file: Buffer): string {
  const lines: string[] = [];
  const print = (title: string, bytes: Buffer): void => {
    lines.push(title);
    for (let at = 0; at < bytes.length; at += 32) lines.push(`  ${bytes.toString('hex', at, at + 32)}`);
  };
  print('header, at 0 and at 4096', file.subarray(0, HEADER_LENGTH));
  for (let at = FRAMES_AT, n = 0; at < file.length; n += 1) {
    const length = 84 + file.readUInt32LE(at) + file.readUInt32LE(at + 4);
    print(`frame ${n}, at ${at}`, file.subarray(at, at + length));
    at += length;
  }
  return lines.join('\n');
}

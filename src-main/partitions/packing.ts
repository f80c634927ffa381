/**
 * Packs a cache document before it is sealed, to about 40% of its size, without revealing anything about secrets through its length.
 *
 * [Note: lengths] Compressing a secret beside text that an attacker can influence reveals the secret bit by bit through the
 * length of the result (CRIME, BREACH). So nothing that works as a bearer credential is compressed: opaque tokens, grants and the
 * signatures of JWTs are decoded from base64url to bytes, which makes them 25% shorter whatever they contain. Only the rest is compressed:
 * names, times and ids, and the header and payload of JWTs, which are worth nothing without their signature. The result is padded to a
 * multiple of 64 bytes.
 *
 * Packed: the length of the compressed text (4 bytes), the compressed text, the secrets, the padding.
 * The text is the document with `"secret":` followed by the byte 1 in place of each secret, then for each secret
 * the byte 1 and its shape. The byte 1 never appears in JSON text.
 */
import { isUtf8 } from 'node:buffer';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { holdsMark } from '../cache/document/numbers.ts';
import { endOfString, isRecord } from '../cache/json.ts';

const MARK = '\u0001';
const PADDING = 64;

/** A shorter signature could be guessed, so the token is then treated as opaque. */
const SHORTEST_SIGNATURE = 32;

/** Text that most documents contain. It is part of the format and must not change: packed entries need it. */
const DICTIONARY = Buffer.from(
  '{"Account":{"-login.microsoftonline.com-":{"home_account_id":"","environment":"login.windows.net","realm":"","local_account_id":"","username":"","authority_type":"MSSTS","name":"","tenantProfiles":["{\\"tenantId\\":\\"\\",\\"localAccountId\\":\\"\\",\\"name\\":\\"\\",\\"isHomeTenant\\":true}"],"client_info":""}},"IdToken":{"-idtoken-----":{"home_account_id":"","environment":"login.windows.net","credential_type":"IdToken","client_id":"","realm":"","secret":}},"AccessToken":{"-accesstoken---openid profile offline_access user.read email--":{"credential_type":"AccessToken","secret":,"cached_at":"17","expires_on":"17","extended_expires_on":"17","target":"openid profile User.Read email","token_type":"Bearer"}},"RefreshToken":{"-refreshtoken-----":{"credential_type":"RefreshToken","last_modification_time":"17"}},"AppMetadata":{}}{"typ":"JWT","alg":"RS256","kid":"","x5t":"{"aud":"","iss":"https://login.microsoftonline.com//v2.0https://sts.windows.net/","iat":17,"nbf":17,"exp":17,"aio":"","preferred_username":"","amr":["pwd","mfa"],"appid":"","appidacr":"1","family_name":"","given_name":"","idtyp":"user","ipaddr":"","nonce":"","oid":"","rh":"","scp":"","sid":"","sub":"","tid":"","unique_name":"","upn":"","uti":"","ver":"2.0"}',
);

/** Small windows, because entries are small and zlib clears the memory that it allocates. */
const DEFLATE = { level: 1, windowBits: 12, memLevel: 5, chunkSize: 4096, dictionary: DICTIONARY };

/** Limits the memory that a document from a hostile store can use. Sealed documents cannot be forged. */
const MAX_TEXT = 256 * 1024 * 1024;

/** What precedes a secret in a document without line breaks. Within a JSON string, its quotation marks would be escaped. */
const FIELD = '"secret":';

/** What `apart` writes first in place of a secret: the mark, as a JSON string. */
const PLACE = `${FIELD}${JSON.stringify(MARK)}`;

/**
 * Writes the value of an entry as JSON, with the mark in place of its secret. JSON escapes and copies each character, and the secrets are
 * most of a document.
 *
 * @param secrets gets the secret; the value is written in full if it has none, or one that could not be restored
 */
export function apart(value: unknown, secrets: string[]): string {
  const secret = isRecord(value) ? value['secret'] : undefined;
  if (typeof secret === 'string' && isRestorable(secret) && !holdsMark(secret)) {
    const json = JSON.stringify({ ...(value as object), secret: MARK });
    const at = json.indexOf(PLACE);
    if (json.indexOf(PLACE, at + 1) === -1) {
      secrets.push(secret);
      return json.slice(0, at + FIELD.length) + MARK + json.slice(at + PLACE.length);
    }
  }
  return JSON.stringify(value);
}

/**
 * Packs a document.
 *
 * @param apart the secrets in whose place the document has the mark, in order
 */
export function pack(document: string, apart: readonly string[] = []): Buffer {
  const shapes: string[] = [];
  const secrets: Part[] = [];
  let text = '';
  let from = 0;
  let taken = 0;
  for (let at = document.indexOf(FIELD); at !== -1; at = document.indexOf(FIELD, at)) {
    const start = at + FIELD.length;
    at = start;
    const first = document[start];
    if (first === MARK) shapes.push(shapeOf(apart[taken++] ?? '', secrets));
    if (first !== '"') continue;
    at = endOfString(document, start) + 1;
    const secret = secretIn(document.slice(start, at));
    if (secret === undefined) continue;
    shapes.push(shapeOf(secret, secrets));
    text += document.slice(from, start) + MARK;
    from = at;
  }
  text += document.slice(from) + MARK + shapes.join(MARK);
  const compressed = deflateRawSync(text, DEFLATE);
  const size = 4 + compressed.length + secrets.reduce((sum, part) => sum + part.size, 0);
  const packed = Buffer.allocUnsafe(size + (-size & (PADDING - 1)));
  let at = packed.writeUInt32BE(compressed.length, 0);
  at += compressed.copy(packed, at);
  for (const { characters, encoding } of secrets) at += packed.write(characters, at, encoding);
  packed.fill(0, at);
  return packed;
}

/** A part of a secret, and its size in bytes. It is decoded only into the packed bytes. */
interface Part {
  readonly characters: string;
  readonly encoding: 'base64url' | 'utf8';
  readonly size: number;
}

/** Returns undefined if the secret could not be restored exactly: it has lone surrogates, which UTF-8 cannot encode. */
function secretIn(json: string): string | undefined {
  if (!json.includes('\\')) return json.slice(1, -1);
  const secret = JSON.parse(json) as string;
  return JSON.stringify(secret) === json && isRestorable(secret) ? secret : undefined;
}

/** false for lone surrogates, which UTF-8 cannot encode. */
function isRestorable(secret: string): boolean {
  return !LONE.test(secret);
}

const LONE = /\p{Cs}/u;

/** @throws Error if `pack` did not produce the bytes */
export function unpack(bytes: Buffer): string {
  const end = 4 + bytes.readUInt32BE(0);
  const inflated = inflateRawSync(bytes.subarray(4, end), {
    dictionary: DICTIONARY,
    chunkSize: 8192,
    maxOutputLength: MAX_TEXT,
  }).toString('utf8');
  const parts = inflated.split(MARK);
  const count = (parts.length - 1) / 2; // For each secret, one mark in the document and one shape.
  if (count === 0.5) return parts[0] ?? '';
  let [document, at] = [parts[0] ?? '', end];
  for (let index = 0; index < count; index += 1) {
    const read = secretOf(parts[index + 1 + count] ?? '', bytes, at);
    at = read.end;
    document += JSON.stringify(read.secret) + (parts[index + 1] ?? '');
  }
  return document;
}

/**
 * Describes how to restore a secret: a letter, the lengths of its parts, and for a JWT the two parts that are compressed.
 *
 *     J <bytes of the signature>:<header>\n<payload>
 *     S <lengths of alternating literal and base64url runs, separated by commas>
 */
function shapeOf(secret: string, secrets: Part[]): string {
  const jwt = jwtParts(secret);
  if (jwt !== undefined) {
    const size = sizeOf(jwt.signature);
    secrets.push({ characters: jwt.signature, encoding: 'base64url', size });
    return `J${size}:${jwt.header}\n${jwt.payload}`;
  }
  let lengths = '';
  // Every other run is base64url in groups of four characters, which decode to three bytes each.
  let from = 0;
  for (let start = 0; start < secret.length; ) {
    const end = endOfRun(secret, start);
    const until = end - ((end - start) % 4);
    if (until > start) {
      const [literal, encoded] = [secret.slice(from, start), secret.slice(start, until)];
      lengths += `${addLiteral(literal, secrets)},${sizeOf(encoded)},`;
      secrets.push({ characters: encoded, encoding: 'base64url', size: sizeOf(encoded) });
      from = until;
    }
    start = end + 1;
  }
  return `S${lengths}${addLiteral(secret.slice(from), secrets)}`;
}

/** The characters of base64url. Searching for runs of them takes three times as long as matching one. */
const RUN = /[\w-]*/y;

/** Returns the end of the base64url characters that begin at an index. */
function endOfRun(text: string, from: number): number {
  RUN.lastIndex = from;
  RUN.test(text);
  return RUN.lastIndex;
}

/** @returns the size in bytes */
function addLiteral(characters: string, secrets: Part[]): number {
  if (characters === '') return 0;
  const size = Buffer.byteLength(characters);
  secrets.push({ characters, encoding: 'utf8', size });
  return size;
}

/** The number of bytes that base64url encodes. */
function sizeOf({ length }: string): number {
  return Math.floor((length * 3) / 4);
}

function secretOf(shape: string, bytes: Buffer, from: number): { secret: string; end: number } {
  let end = from;
  const take = (length: number): Buffer => {
    if (!Number.isInteger(length) || length < 0 || end + length > bytes.length) throw new Error('Too short.');
    return bytes.subarray(end, (end += length));
  };
  if (shape.startsWith('J')) {
    const colon = shape.indexOf(':');
    const [header = '', payload = ''] = shape.slice(colon + 1).split('\n');
    const signature = take(Number(shape.slice(1, colon))).toString('base64url');
    const encoded = [header, payload].map((part) => Buffer.from(part).toString('base64url'));
    return { secret: [...encoded, signature].join('.'), end };
  }
  const runs = shape
    .slice(1)
    .split(',')
    .map((length, index) => take(Number(length)).toString(index % 2 === 1 ? 'base64url' : 'utf8'));
  return { secret: runs.join(''), end };
}

interface JwtParts {
  header: string;
  payload: string;
  signature: string;
}

/** Whether a text is base64url that its bytes restore: it is complete, and no bit of its last character is lost. */
function isExact(text: string): boolean {
  const rest = text.length % 4;
  const last = text.at(-1) ?? '';
  const isWhole =
    rest === 0 || (rest === 2 && 'AQgw'.includes(last)) || (rest === 3 && 'AEIMQUYcgkosw048'.includes(last));
  return isWhole && endOfRun(text, 0) === text.length;
}

/** Returns undefined unless the secret is a signed JWT that can be restored exactly. */
function jwtParts(secret: string): JwtParts | undefined {
  if (!secret.startsWith('eyJ')) return undefined;
  const [header = '', payload = '', signature = '', more] = secret.split('.', 4);
  if (more !== undefined || !payload.startsWith('ey')) return undefined;
  if (sizeOf(signature) < SHORTEST_SIGNATURE || !isExact(signature)) return undefined;
  const [headerText, payloadText] = [textOf(header), textOf(payload)];
  if (headerText === undefined || payloadText === undefined) return undefined;
  return { header: headerText, payload: payloadText, signature };
}

/** Returns the text of a JWT's header or payload; undefined if the part could not be restored from it. */
function textOf(part: string): string | undefined {
  if (!isExact(part)) return undefined;
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return text.includes(MARK) || text.includes('\n') ? undefined : text;
}

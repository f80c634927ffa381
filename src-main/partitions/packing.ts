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

/** A secret in a document without line breaks, as a JSON string. */
const SECRET = /"secret":("[^"\\]*(?:\\.[^"\\]*)*")/g;

export function pack(document: string): Buffer {
  const shapes: string[] = [];
  const secrets: Buffer[] = [];
  let text = '';
  let from = 0;
  for (const { 0: field, 1: json = '', index } of document.matchAll(SECRET)) {
    const secret = secretIn(json);
    if (secret === undefined) continue;
    shapes.push(shapeOf(secret, secrets));
    const end = index + field.length;
    text += document.slice(from, end - json.length) + MARK;
    from = end;
  }
  text += document.slice(from) + MARK + shapes.join(MARK);
  const compressed = deflateRawSync(text, DEFLATE);
  const size = 4 + compressed.length + secrets.reduce((sum, { length }) => sum + length, 0);
  const packed = Buffer.allocUnsafe(size + (-size & (PADDING - 1)));
  let at = packed.writeUInt32BE(compressed.length, 0);
  for (const part of [compressed, ...secrets]) at += part.copy(packed, at);
  packed.fill(0, at);
  return packed;
}

/** Returns undefined if the secret could not be restored exactly: it has lone surrogates, which UTF-8 cannot encode. */
function secretIn(json: string): string | undefined {
  if (!json.includes('\\')) return json.slice(1, -1);
  const secret = JSON.parse(json) as string;
  return JSON.stringify(secret) === json && !/\p{Cs}/u.test(secret) ? secret : undefined;
}

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
function shapeOf(secret: string, secrets: Buffer[]): string {
  const jwt = jwtParts(secret);
  if (jwt !== undefined) {
    secrets.push(jwt.signature);
    return `J${jwt.signature.length}:${jwt.header}\n${jwt.payload}`;
  }
  const lengths: number[] = [];
  const add = (text: string, encoding: 'base64url' | 'utf8'): void => {
    const bytes = Buffer.from(text, encoding);
    secrets.push(bytes);
    lengths.push(bytes.length);
  };
  // Every other run is base64url in groups of four characters, which decode to three bytes each.
  let from = 0;
  for (const { 0: run, index } of secret.matchAll(BASE64URL_RUN)) {
    const end = index + (run.length & ~3);
    add(secret.slice(from, index), 'utf8');
    add(secret.slice(index, end), 'base64url');
    from = end;
  }
  add(secret.slice(from), 'utf8');
  return `S${lengths.join(',')}`;
}

const BASE64URL_RUN = /[A-Za-z0-9_-]{4,}/g;

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
  signature: Buffer;
}

/** Returns undefined unless the secret is a signed JWT that can be restored exactly. */
function jwtParts(secret: string): JwtParts | undefined {
  if (!secret.startsWith('eyJ')) return undefined;
  const [header = '', payload = '', signature = '', more] = secret.split('.');
  if (more !== undefined || !payload.startsWith('ey')) return undefined;
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.length < SHORTEST_SIGNATURE || bytes.toString('base64url') !== signature) return undefined;
  const [headerText, payloadText] = [header, payload].map(textOf);
  if (headerText === undefined || payloadText === undefined) return undefined;
  return { header: headerText, payload: payloadText, signature: bytes };
}

/** Returns the text of a JWT's header or payload; undefined if the part could not be restored from it. */
function textOf(part: string): string | undefined {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes) || bytes.toString('base64url') !== part) return undefined;
  const text = bytes.toString('utf8');
  return text.includes(MARK) || text.includes('\n') ? undefined : text;
}

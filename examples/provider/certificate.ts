/** A certificate for localhost (RFC 5280), by a certificate authority that exists for as long as one provider runs. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Identity {
  /** PEM of the authority that clients have to trust. */
  ca: string;
  /** PEM of the server's certificate and its key. */
  cert: string;
  key: string;
}

const DAY = 86_400_000;

/**
 * Discards the authority's key after signing its one certificate, so that nobody can issue another. A client that trusts the authority
 * trusts only this server on this machine.
 */
export async function makeIdentity(now = new Date()): Promise<Identity> {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authorityName = nameOf('Tokenkeep example provider, throw-away authority');
  const period = sequence(time(now.getTime() - DAY), time(now.getTime() + 7 * DAY));
  const issued = { issuer: authorityName, period, signer: authority.privateKey };
  const ca = certificate({
    ...issued,
    subject: authorityName,
    key: authority.publicKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.of(0xff)), der(0x02, Buffer.of(0))), true),
      extension(KEY_USAGE, der(0x03, Buffer.of(1, 0b0000_0110)), true), // keyCertSign, cRLSign
      extension(SUBJECT_KEY, der(0x04, keyIdentifier(authority.publicKey))),
    ],
  });
  const cert = certificate({
    ...issued,
    subject: nameOf('localhost'),
    key: server.publicKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(), true),
      extension(KEY_USAGE, der(0x03, Buffer.of(7, 0b1000_0000)), true), // digitalSignature
      extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTHENTICATION))),
      extension(
        ALTERNATIVE_NAME,
        sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1))),
      ),
      extension(AUTHORITY_KEY, sequence(der(0x80, keyIdentifier(authority.publicKey)))),
    ],
  });
  const key = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ca, cert, key };
}

// Object identifiers, as they are encoded (RFC 5280 §4.2.1, RFC 5758 §3.2, RFC 4519 §2.3).
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const SUBJECT_KEY = '551d0e';
const AUTHORITY_KEY = '551d23';
const ALTERNATIVE_NAME = '551d11';
const EXTENDED_KEY_USAGE = '551d25';
const SERVER_AUTHENTICATION = '2b06010505070301';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';

interface Issued {
  issuer: Buffer;
  period: Buffer;
  signer: KeyObject;
  subject: Buffer;
  key: KeyObject;
  extensions: readonly Buffer[];
}

/** RFC 5280 §4.1: version 3. */
function certificate({ issuer, period, signer, subject, key, extensions }: Issued): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0); // positive, and of this length
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    issuer,
    period,
    subject,
    publicKey(key),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, signer);
  const text = sequence(body, algorithm, der(0x03, Buffer.of(0), signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

/** Encodes a tag, the length of the content, and the content (X.690 §8.1). */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const size = bytes.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), bytes]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const nameOf = (common: string): Buffer =>
  sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(common)))));
const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));

/** UTCTime, which is for years until 2049 (RFC 5280 §4.1.2.5). */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

const publicKey = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha256').update(publicKey(key)).digest().subarray(0, 20);

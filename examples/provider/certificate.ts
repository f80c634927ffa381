/** A certificate for localhost, by a certificate authority that exists for as long as one provider runs. */
import { webcrypto } from 'node:crypto';
import 'reflect-metadata'; // asked for by @peculiar/x509, before it
import * as x509 from '@peculiar/x509';

export interface Identity {
  /** PEM of the authority: what a client is told to trust. */
  ca: string;
  /** PEM of the server's certificate and its key. */
  cert: string;
  key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;

/**
 * The authority's key is dropped when its one certificate is signed, so that nobody can make another with it: who trusts
 * it, trusts this server on this machine and nothing else.
 */
export async function makeIdentity(now = new Date()): Promise<Identity> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const notBefore = new Date(now.getTime() - DAY);
  const notAfter = new Date(now.getTime() + 7 * DAY);
  const authorityKeys = await pair();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Tokenkeep example provider, throw-away authority',
    keys: authorityKeys,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const serverKeys = await pair();
  const server = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.subject,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority, false),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
  return {
    ca: authority.toString('pem'),
    cert: server.toString('pem'),
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  };
}

function pair(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Failures of TLS, which no retry mends: the client and the server have to agree on certificates, or on whether to use TLS. */
import { codeOf } from '../../error-code.ts';
import { PartitionStoreError } from '../../errors.ts';

/** The codes of Node and OpenSSL that end a handshake, after which nothing was sent. Others may end a connection in the middle of a write. */
const CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)$/;
const PROTOCOL =
  /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|\w+_ALERT_(PROTOCOL_VERSION|HANDSHAKE_FAILURE|UNKNOWN_CA|\w*CERTIFICATE\w*))$/;

/** `pg` has no code for it. */
const NO_TLS = /server does not support SSL/;

export function isTls(error: Error): boolean {
  const code = codeOf(error);
  return CERTIFICATE.test(code) || PROTOCOL.test(code) || NO_TLS.test(error.message);
}

/** @param error one of which `isTls` is true */
export function tlsRefused(cause: Error, consequence: string): PartitionStoreError {
  return new PartitionStoreError(
    'store_client',
    `The client and the server do not agree on TLS (${codeOf(cause) || 'the server does not use it'}): the client does not trust the server’s certificate, or only one of the two uses TLS. ${consequence} Correct the TLS settings of the client, or the certificate.`,
    { cause },
  );
}

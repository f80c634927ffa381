// Lets one Electron session trust one certificate authority besides the system's, for one host: the demo's provider.
const { X509Certificate } = require('node:crypto');

/** Chromium's results: accept the certificate, or decide as usual. */
const GOOD = 0;
const AS_EVER = -3;

/**
 * @param {import('electron').Session} session
 * @param {string} ca PEM of the authority
 */
exports.trust = (session, ca) => {
  const authority = new X509Certificate(ca);
  session.setCertificateVerifyProc(({ hostname, certificate }, decide) => {
    decide(hostname === 'localhost' && isSignedBy(authority, certificate.data) ? GOOD : AS_EVER);
  });
};

function isSignedBy(authority, pem) {
  const certificate = new X509Certificate(pem);
  const now = Date.now();
  return (
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    certificate.checkHost('localhost') !== undefined &&
    Date.parse(certificate.validFrom) <= now &&
    now <= Date.parse(certificate.validTo)
  );
}

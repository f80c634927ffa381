/**
 * Ends a build for users that names no publisher: the addresses in electron-builder.yml end in `.invalid` (RFC 2606), which is reserved and
 * reaches nobody.
 *
 * @param {{ packager: { config: { linux?: { maintainer?: string } | null }, appInfo: { version: string },
 *   metadata: { homepage?: string } } }} context electron-builder's
 * @throws {Error} if the build must not continue
 */
exports.default = function refuseUnownedRelease({ packager }) {
  if (packager.appInfo.version.endsWith('-development')) return;
  const given = {
    TOKENKEEP_MAINTAINER: packager.config.linux?.maintainer,
    TOKENKEEP_HOMEPAGE: packager.metadata.homepage,
  };
  const missing = Object.keys(given).filter((name) => !given[name] || /\.invalid\b/.test(given[name]));
  if (missing.length === 0) return;
  throw new Error(
    `A release names who stands for it. Set ${missing.join(' and ')}: a name with an address, as in ` +
      '"Ada Lovelace <ada@example.org>", and a page that tells people where they are.',
  );
};

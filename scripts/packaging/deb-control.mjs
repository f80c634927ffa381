/**
 * The control file of a binary package (Debian Policy, chapter 5), from fpm's options.
 *
 * @param {Record<string, any>} options as scripts/packaging/fpm-by-dpkg.mjs reads them
 * @param {number} kilobytes the installed size
 */
export function debControl(options, kilobytes) {
  const [synopsis = options.name, ...more] = options.description
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const fields = {
    Package: options.name,
    Version: debVersion(options.version),
    Architecture: options.architecture,
    Maintainer: options.maintainer,
    'Installed-Size': kilobytes,
    Depends: options.depends?.join(', '),
    Recommends: options['deb-recommends']?.join(', '),
    Section: options.category ?? 'utils',
    Priority: options['deb-priority'],
    Homepage: options.url,
    Description: [synopsis, ...more.map((line) => ` ${line}`)].join('\n'),
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return `${lines.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`;
}

/**
 * Returns Debian's form of a semver version. A pre-release is older than its release, which Debian writes with a tilde; a hyphen would
 * begin a revision.
 */
export function debVersion(version) {
  return version.replaceAll('-', '~');
}

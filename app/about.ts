/** The build information in the About dialog, and the two things that the dialog opens. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, UnexpectedError } from 'tokenkeep/errors';

export interface Build {
  /** "3f2a91c04b7e, linux x64"; "development" if this is not a release. */
  build: string;
  /** Homepage of this build's publisher, with source and documentation; null if the build names none. */
  homepage: string | null;
}

export interface AboutPorts {
  packaged: boolean;
  /** The commit that this was built from; "" if it is not known. */
  commit: string;
  /** Folder of the build's package.json; in a packaged app, the asar. */
  appFolder: string;
  /** Files with license texts; the first one that exists is shown. */
  licenses: readonly string[];
  openInBrowser: (url: string) => Promise<void>;
  /** Shows a file in the system's file manager. */
  showFile: (file: string) => void;
}

export interface About extends Build {
  /**
   * Opens the page of this build in the browser, if it names one.
   *
   * @throws InvalidArgumentError if the system opens no browser
   */
  openHomepage(): Promise<void>;
  /**
   * Shows the license texts of Tokenkeep and of the software that it includes.
   *
   * @throws UnexpectedError if the installation has none; an update in place may have removed them
   */
  showLicenses(): void;
}

export function about(ports: AboutPorts): About {
  const { packaged, commit, appFolder, licenses, openInBrowser, showFile } = ports;
  const known = commit === '' ? 'commit not known' : `commit ${commit}`;
  const homepage = packaged ? homepageIn(appFolder) : null;
  return {
    build: `${packaged ? '' : 'development, '}${known}, ${process.platform} ${process.arch}`,
    homepage,
    async openHomepage() {
      if (homepage === null) return;
      await openInBrowser(homepage).catch((cause: unknown) => {
        const message = `The system did not open a browser. Nothing was changed. Open ${homepage} yourself.`;
        throw new InvalidArgumentError(message, { cause });
      });
    },
    showLicenses() {
      const file = licenses.find((place) => existsSync(place));
      if (file === undefined) {
        throw new UnexpectedError(
          'The license texts are missing from this installation. Install Tokenkeep again to get them.',
        );
      }
      showFile(file);
    },
  };
}

/** Returns the homepage in the package.json of a folder. Hosts under `.invalid` are placeholders (RFC 2606) and are ignored. */
function homepageIn(folder: string): string | null {
  try {
    const { homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      homepage?: unknown;
    };
    if (typeof homepage !== 'string' || !URL.canParse(homepage)) return null;
    const { protocol, hostname, href } = new URL(homepage);
    return protocol === 'https:' && !hostname.endsWith('.invalid') ? href : null;
  } catch {
    return null;
  }
}

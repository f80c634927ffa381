/** What the About dialog says of a build, and the two things that it opens. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { app, shell } from 'electron';
import { UnexpectedError } from 'tokenkeep/errors';

/** The commit that this was built from, inserted by the bundler; "" if it is not known. */
declare const __COMMIT__: string;

export interface Build {
  /** "3f2a91c04b7e, linux x64"; "development" where it is no release. */
  build: string;
  /** The page of whoever stands for this build: source and documentation. null: it names none. */
  homepage: string | null;
}

export function aboutBuild(): Build {
  const system = `${process.platform} ${process.arch}`;
  const commit = __COMMIT__ === '' ? 'commit not known' : `commit ${__COMMIT__}`;
  return {
    build: `${app.isPackaged ? '' : 'development, '}${commit}, ${system}`,
    homepage: app.isPackaged ? homepageIn(app.getAppPath()) : null,
  };
}

/** Returns the homepage in the package.json of the asar. Addresses that end in `.invalid` are nobody's (RFC 2606). */
export function homepageIn(folder: string): string | null {
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

/** Opens the page of this build in the browser. */
export async function openHomepage(): Promise<void> {
  const { homepage } = aboutBuild();
  if (homepage !== null) await shell.openExternal(homepage);
}

/** Shows the licence texts of Tokenkeep and of what it includes, in the system's file manager. */
export function showLicences(): void {
  // Beside the packaged app, or in the clone.
  const places = app.isPackaged
    ? [join(process.resourcesPath, 'THIRD-PARTY-NOTICES.txt'), join(process.resourcesPath, 'LICENSE')]
    : [join(__dirname, '../dist/THIRD-PARTY-NOTICES.txt'), join(__dirname, '../LICENSE')];
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    throw new UnexpectedError(
      'The licence texts are missing from this installation. Install Tokenkeep again to get them.',
    );
  }
  shell.showItemInFolder(file);
}

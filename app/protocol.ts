/** `app://tokenkeep/`: the built window and nothing else. Electron security checklist item 18. */
import { readFile } from 'node:fs/promises';
import { protocol, type Session } from 'electron';
import { CONTENT_HEADERS } from './content-policy.ts';
import { SCHEME } from './origin.ts';
import { fileOf } from './page-file.ts';

/** Before `ready`. Standard and secure: relative paths, an origin of its own, no mixed content. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Answers the scheme in one session with the files of one folder. */
export function servePage(session: Session, folder: string): void {
  session.protocol.handle(SCHEME, async (request) => {
    const file = request.method === 'GET' ? fileOf(request.url, folder) : undefined;
    if (file === undefined) return notFound();
    try {
      const content = await readFile(file.path);
      return new Response(new Uint8Array(content), {
        headers: { ...CONTENT_HEADERS, 'Content-Type': file.type },
      });
    } catch {
      return notFound(); // the folder is ours: what can't be read is not there
    }
  });
}

function notFound(): Response {
  return new Response(null, { status: 404, headers: CONTENT_HEADERS });
}

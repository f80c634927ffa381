import { createHash } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns a fake secret for the demo: looks real, grants nothing, and is the same at every start. */
export function madeUp(name: string, bytes: number): string {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`tokenkeep demo ${name} ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes).toString('base64url');
}

/** Returns a JWT with a fake signature. */
export function jwt(payload: Json): string {
  const header = part({ typ: 'JWT', alg: 'RS256', kid: madeUp('signing key', 20) });
  const body = part(payload);
  return `${header}.${body}.${madeUp(body, 256)}`;
}

/** The requests and responses of Node's HTTP server, reduced to what signing in needs. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A request of Express: one of Node's, with what middleware adds to it.
 *
 * @example
 * import type { WebRequest, WebSignIn } from 'tokenkeep/express';
 *
 * const isSignedIn = async (signIn: WebSignIn, req: WebRequest) => (await signIn.findUser(req)) !== null;
 */
export type WebRequest = IncomingMessage & {
  /** The URL as it was before routers removed their prefix. */
  readonly originalUrl?: string;
  /** Set by express-session. */
  readonly session?: unknown;
  /** Set by a body parser, if there is one. */
  readonly body?: unknown;
};

/** Middleware of Express. */
export type WebMiddleware = (req: WebRequest, res: ServerResponse, next: (error?: unknown) => void) => void;

/** Makes middleware from an async function that returns whether to call the next middleware. Passes its errors to `next`. */
export function middleware(run: (req: WebRequest, res: ServerResponse) => Promise<boolean>): WebMiddleware {
  return (req, res, next) =>
    void run(req, res).then(
      (isPassedOn) => (isPassedOn ? next() : undefined),
      // Without an argument, `next` would let the request through.
      (error: unknown) => next(error ?? new Error('The request failed without an error.')),
    );
}

export function cookiesOf({ headers: { cookie = '' } }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    cookie.split(';').flatMap((pair) => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[unpadded(pair.slice(0, at)), unpadded(pair.slice(at + 1))] as const];
    }),
  );
}

/**
 * Removes spaces and tabs only (RFC 6265 §5.2). `trim` also removes characters that browsers treat as part of the name, such as a no-break
 * space: then `\u00a0__Host-a`, which any host of the domain may set, would pass for `__Host-a`, which none of them may.
 */
function unpadded(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

export function setCookie(
  res: ServerResponse,
  name: string,
  value: string,
  { maxAge, secure }: { readonly maxAge: number; readonly secure: boolean },
): void {
  const flags = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${secure ? '; Secure' : ''}`;
  res.appendHeader('set-cookie', `${name}=${value}; ${flags}`);
}

/** Keeps browsers and proxies from storing a response that is meant for one user. */
export function noStore(res: ServerResponse): void {
  res.setHeader('cache-control', 'no-store');
}

export function redirect(res: ServerResponse, to: string): void {
  noStore(res);
  res.writeHead(303, { location: to }).end();
}

export function answer(res: ServerResponse, status: number, body?: object): void {
  noStore(res);
  if (body === undefined) {
    res.writeHead(status).end();
    return;
  }
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Whether a browser shows the response as a page, so that the user can be redirected to the provider. */
export function isNavigation({ headers }: IncomingMessage): boolean {
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return headers['x-requested-with'] === undefined && (headers.accept ?? '').includes('text/html');
}

/** Whether a page of another site may have made the browser send the request. */
export function isCrossSite({ headers }: IncomingMessage, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return headers.origin !== undefined && headers.origin !== origin;
}

const LONGEST_FORM = 32_768;

/** Returns a field of a posted form, parsed already or not; undefined if there is no form, it is too long, or the field is not in it once. */
export async function formField(req: WebRequest, name: string): Promise<string | undefined> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return undefined;
  const { body } = req;
  // Express 4's parsers set an empty object for a body that they leave unread.
  if (typeof body === 'object' && body !== null && Object.hasOwn(body, name)) {
    const value: unknown = Reflect.get(body, name);
    return typeof value === 'string' ? value : undefined;
  }
  const isText = typeof body === 'string' || body instanceof Uint8Array;
  const form = isText ? Buffer.from(body).toString() : await textOf(req);
  const values = form === undefined ? [] : new URLSearchParams(form).getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/** Returns the body; undefined if it is too long. The request stays open, so that it can be answered. */
async function textOf(req: WebRequest): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_FORM) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

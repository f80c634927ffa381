/** The caches that are measured, by name. */
import { inMemory, SerializableTokenCache } from '../src-main/index.ts';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import type { Person } from './generate.ts';
import { msalNode } from './msal-node.ts';
import type { Subject } from './subject.ts';
import { tokenkeep } from './tokenkeep.ts';

type Peer = (person: (index: number) => Person) => Subject;

/** MSAL Node, with the same accounts and tokens as Tokenkeep. */
const withPlugin: Peer = (person) => {
  const cache = new SerializableTokenCache();
  const subject = msalNode(person, msalCachePlugin(inMemory(cache)));
  const ready = (): Promise<unknown> => Promise.resolve(subject.find(0));
  return { ...subject, deserialize: (text) => cache.deserialize(text), ready };
};

/** MSAL Node with a cache plugin that behaves like one for a file: it loads the whole cache before each access. */
const withText: Peer = (person) => {
  let text = '';
  const subject = msalNode(person, {
    beforeCacheAccess: (context) => {
      context.tokenCache.deserialize(text);
      return Promise.resolve();
    },
    afterCacheAccess: () => Promise.resolve(),
  });
  const deserialize = (given: string): void => {
    text = given;
  };
  return { ...subject, deserialize };
};

export const PEERS: Readonly<Record<string, Peer>> = {
  tokenkeep,
  'msal-node': (person) => msalNode(person),
  'msal-node-plugin': withPlugin,
  'msal-node-text': withText,
};

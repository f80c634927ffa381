/** The caches that are measured, by name. */
import { inMemory, SerializableTokenCache } from '../src-main/index.ts';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import type { Person } from './generate.ts';
import { msalNode } from './msal-node.ts';
import type { Subject } from './subject.ts';
import { tokenkeep } from './tokenkeep.ts';

type Peer = (person: (index: number) => Person) => Subject;

/** MSAL Node, whose accounts and tokens are Tokenkeep's. */
const withPlugin: Peer = (person) => {
  const cache = new SerializableTokenCache();
  const subject = msalNode(person, msalCachePlugin(inMemory(cache)));
  const ready = (): Promise<unknown> => Promise.resolve(subject.find(0));
  return { ...subject, deserialize: (text) => cache.deserialize(text), ready };
};

/** MSAL Node with what a cache plugin does that keeps a file: it gives all of it before each access. */
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

/** Every order in which servers of two versions with two sealing keys can be deployed, rolled back, used and resealed. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import {
  memoryStore,
  type PartitionedCaches,
  type PartitionStore,
  type SealingKey,
  type SealingKeys,
} from '../../src-main/partitions/index.ts';
import { caches, signIn } from './people.ts';

const key = (id: string): SealingKey => ({ id, key: randomBytes(32) });
const [old, young] = [key('old'), key('young')];

/** The versions of the documented rotation, in order. Without `sealWith`, the newest key seals. */
const VERSIONS: readonly { sealingKeys: SealingKeys; sealWith?: string }[] = [
  { sealingKeys: [old], sealWith: 'old' },
  { sealingKeys: [young, old], sealWith: 'old' },
  { sealingKeys: [young, old] },
  { sealingKeys: [young] },
];
const LAST = VERSIONS.length - 1;

type Servers = readonly [number, number];
const ACTIONS = ['deploy', 'roll back', 'update', 'reseal'].flatMap((what) =>
  [0, 1].map((server) => [what, server] as const),
);
type Action = (typeof ACTIONS)[number];

const scopesIn = (cache: TokenCache): string[] =>
  cache
    .find('AccessToken')
    .map(({ target }) => target)
    .sort();

class Site {
  readonly store: PartitionStore = memoryStore();
  readonly written: string[] = [];
  servers: Servers = [0, 0];

  at(server: number): PartitionedCaches {
    return caches({ store: this.store, ...VERSIONS[this.servers[server]!]! });
  }

  /** Returns whether the documentation allows the action now. */
  async allows([what, server]: Action): Promise<boolean> {
    if (what !== 'deploy' && what !== 'roll back') return true;
    const moved = this.#moved(server, what === 'deploy' ? 1 : -1);
    const isStep =
      Math.min(...moved) >= 0 && Math.max(...moved) <= LAST && Math.abs(moved[0] - moved[1]) <= 1;
    if (!isStep) return false;
    // A version with one key may be deployed only when no server seals with the other key and the report counts no entry sealed with it.
    const { sealedWith } = await this.at(server).sealingReport();
    if (moved.includes(LAST)) return Math.min(...moved) >= 2 && sealedWith['old'] === undefined;
    return !moved.includes(0) || sealedWith['young'] === undefined;
  }

  async perform([what, server]: Action): Promise<void> {
    if (what === 'deploy') this.servers = this.#moved(server, 1);
    else if (what === 'roll back') this.servers = this.#moved(server, -1);
    else if (what === 'reseal') expect((await this.at(server).reseal()).skipped).toEqual({});
    else {
      const scope = `t${this.written.length}`;
      await this.at(server)
        .partition('a')
        .update((cache) => signIn(cache, 'noor', scope));
      this.written.push(scope);
    }
  }

  async state(): Promise<string> {
    const { sealedWith } = await this.at(0).sealingReport();
    return `${this.servers.join(' ')} ${Object.keys(sealedWith).join()}`;
  }

  #moved(server: number, by: number): Servers {
    const [first, second] = this.servers;
    return server === 0 ? [first + by, second] : [first, second + by];
  }
}

async function siteAfter(actions: readonly Action[]): Promise<Site> {
  const site = new Site();
  for (const action of actions) await site.perform(action);
  return site;
}

/** Returns every action from every state that can be reached, with the actions that lead there. */
async function everyStep(): Promise<(readonly Action[])[]> {
  const begin: readonly Action[] = [['update', 0]];
  const known = new Set([await (await siteAfter(begin)).state()]);
  const steps: (readonly Action[])[] = [];
  for (const waiting = [begin]; waiting.length > 0; ) {
    const path = waiting.shift()!;
    for (const action of ACTIONS) {
      const site = await siteAfter(path);
      if (!(await site.allows(action))) continue;
      const step = [...path, action];
      steps.push(step);
      await site.perform(action);
      const state = await site.state();
      if (known.has(state)) continue;
      known.add(state);
      waiting.push(step);
    }
  }
  return steps;
}

const named = (actions: readonly Action[]): string =>
  actions.map(([what, server]) => `${what} ${'AB'[server]!}`).join(', ');

const steps = await everyStep();

describe('rotating the sealing key in a rolling deployment, with rollbacks', () => {
  it('reaches each pair of versions that are one step apart, under each key that may seal then', async () => {
    const states = new Set(await Promise.all(steps.map(async (step) => (await siteAfter(step)).state())));
    expect([...states].sort()).toEqual(
      [
        ...['0 0', '0 1', '1 0', '1 1', '1 2', '2 1', '2 2'].map((pair) => `${pair} old`),
        ...['1 1', '1 2', '2 1', '2 2', '2 3', '3 2', '3 3'].map((pair) => `${pair} young`),
      ].sort(),
    );
  });

  it.each(steps.map((step) => [named(step), step] as const))('%s', async (_name, step) => {
    const site = await siteAfter(step);
    for (const server of [0, 1]) {
      const partition = site.at(server).partition('a');
      expect(await partition.read(scopesIn)).toEqual(site.written.toSorted());
      await site.perform(['update', server]);
    }
    expect(await site.at(0).partition('a').read(scopesIn)).toEqual(site.written.toSorted());
  });
});

describe('a deployment that the documentation does not allow loses nothing, and a rollback repairs it', () => {
  it.each([
    { what: 'no server had the new key before one seals with it', deployed: 2, stays: 0, repairs: 1 },
    { what: 'the old key goes before everything is resealed', deployed: 0, stays: 3, repairs: 2 },
  ])('$what', async ({ deployed, stays, repairs }) => {
    const store = memoryStore();
    const at = (version: number) => caches({ store, ...VERSIONS[version]! });
    const partition = at(deployed).partition('a');
    await partition.update((cache) => signIn(cache, 'noor', 'first'));
    const before = await store.read(partition.key);
    const other = at(stays).partition('a');
    const refused = { code: 'partition_unknown_key' };
    await expect(other.read(scopesIn)).rejects.toMatchObject(refused);
    await expect(other.update((cache) => signIn(cache, 'noor', 'lost'))).rejects.toMatchObject(refused);
    expect((await at(stays).reseal()).skipped).toEqual({ partition_unknown_key: 1 });
    expect(await store.read(partition.key)).toEqual(before);
    expect((await at(repairs).reseal()).resealed).toBe(1);
    expect(await other.read(scopesIn)).toEqual(['first']);
  });
});

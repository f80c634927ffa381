/** Events for monitoring, and what they must never contain. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, expect, it } from 'vitest';
import type { PartitionEvent } from '../../src-main/partitions/index.ts';
import { caches, namesIn, observed, signIn } from './people.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function listen(...names: string[]): [name: string, event: PartitionEvent][] {
  const events: [string, PartitionEvent][] = [];
  for (const name of names) {
    const listener = (event: unknown): void => {
      events.push([name, event as PartitionEvent]);
    };
    subscribe(`tokenkeep:partition:${name}`, listener);
    ends.push(() => unsubscribe(`tokenkeep:partition:${name}`, listener));
  }
  return events;
}

it('publishes reads, updates, races, turns and refusals, with hashes and no secret', async () => {
  const events = listen('read', 'update', 'commit', 'turn', 'ask');
  const back = observed();
  const [here, there] = [caches({ store: back.store }), caches({ store: back.inner })];
  const partition = here.partition('noor@contoso.example');
  await partition.update((cache) => signIn(cache, 'noor'));
  back.hooks.beforeWrite = async () => {
    delete back.hooks.beforeWrite;
    await there.partition('noor@contoso.example').update((cache) => signIn(cache, 'noor', 'mail'));
  };
  await Promise.all([
    partition.update((cache) => signIn(cache, 'noor', 'files')),
    partition.update((cache) => signIn(cache, 'noor', 'notes')),
  ]);
  await partition.read(namesIn);
  await partition.exclusively('refresh noor.utid', () => Promise.resolve());
  await expect(partition.update((cache) => signIn(cache, 'piet'))).rejects.toThrow();
  const broken = partition.read(() => {
    throw new Error('own');
  });
  await expect(broken).rejects.toThrow('own');
  const response = { access_token: 'AT', token_type: 'Bearer', expires_in: 60 };
  const ask = () => Promise.resolve({ token_endpoint: 'https://id.example/token', response });
  await here.acquireForApp({ client_id: 'c', realm: 't', scopes: 's' }, ask);

  const of = (name: string) => events.filter(([own]) => own === name).map(([, event]) => event);
  expect(of('commit').map(({ updates, races = 0 }) => [updates, races])).toContainEqual([2, 1]);
  expect(of('update').map(({ outcome }) => outcome)).toContain('partition_other_user');
  expect(of('read').map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['done', 'error']));
  expect(of('turn')).toEqual([
    expect.objectContaining({ purpose: 'refresh', outcome: 'done', waited: expect.any(Number) as number }),
    expect.objectContaining({ purpose: 'api' }),
  ]);
  expect(of('ask')).toEqual([expect.objectContaining({ grant_type: 'client_credentials', outcome: 'done' })]);
  for (const [, { partition: key, milliseconds }] of events) {
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(milliseconds).toBeGreaterThanOrEqual(0);
  }
  expect(JSON.stringify(events)).not.toMatch(/noor|piet|contoso|token of|"AT"/);
});

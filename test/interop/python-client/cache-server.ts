// Run in a process of its own: holds token caches for MSAL Python, and answers each line of JSON on stdin with one on stdout.
import { createInterface } from 'node:readline';
import {
  type Entity,
  type EntityFilter,
  type EntityType,
  SerializableTokenCache,
  type TokenResponseEvent,
} from '../../../src-main/cache/index.ts';

interface Call {
  method: 'new' | 'add' | 'find' | 'modify' | 'serialize' | 'deserialize' | 'accounts';
  cache: number;
  event: TokenResponseEvent;
  type: EntityType;
  filter: EntityFilter;
  old: Entity;
  changes: Entity | null;
  state: string;
}

const caches = new Map<number, SerializableTokenCache>();

function answer({ method, cache: id, ...call }: Call): unknown {
  if (method === 'new') return void caches.set(id, new SerializableTokenCache());
  const cache = caches.get(id)!;
  switch (method) {
    case 'add':
      return cache.add(call.event);
    case 'find':
      // JSON leaves a secret out.
      return cache
        .find(call.type, call.filter)
        .map((entity) => ('secret' in entity ? { ...entity, secret: entity.secret } : entity));
    case 'modify': {
      cache.modify(call.type, call.old, call.changes);
      return;
    }
    case 'serialize':
      return cache.serialize();
    case 'deserialize': {
      cache.deserialize(call.state);
      return;
    }
    case 'accounts':
      return cache.accounts();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: object;
  try {
    reply = { value: answer(JSON.parse(line) as Call) ?? null };
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

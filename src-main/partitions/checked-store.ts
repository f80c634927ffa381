/** Checks the answers of a store, because a wrong value would be taken for an answer: `{ rowCount: 0 }` for "it was stored". */
import { PartitionStoreError } from '../errors.ts';
import type { PartitionStore, StoredPartition } from './partition-store.ts';

/** Returns the store with functions that reject with `store_mismatch` if the answer violates the contract. */
export function checkedStore(store: PartitionStore): PartitionStore {
  const { leases, maintenance } = store;
  return {
    read: async (key, call) => entryOrNull(await store.read(key, call)),
    write: async (...write) => yesOrNo('write', await store.write(...write)),
    remove: async (...remove) => yesOrNo('remove', await store.remove(...remove)),
    touch: async (...touch) => store.touch(...touch),
    ...(leases === undefined
      ? {}
      : {
          leases: {
            take: async (...take) => yesOrNo('leases.take', await leases.take(...take)),
            give: async (...give) => leases.give(...give),
          },
        }),
    ...(maintenance === undefined
      ? {}
      : {
          maintenance: {
            keys: () => maintenance.keys(),
            replace: async (...replace) =>
              yesOrNo('maintenance.replace', await maintenance.replace(...replace)),
          },
        }),
  };
}

function yesOrNo(name: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  throw wrong(name, 'true or false', answer);
}

function entryOrNull(answer: unknown): StoredPartition | null {
  if (answer === null) return null;
  if (typeof answer === 'object') {
    const { bytes, version } = answer as Partial<StoredPartition>;
    if (bytes instanceof Uint8Array && typeof version === 'string' && version !== '')
      return answer as StoredPartition;
  }
  throw wrong('read', 'null or { bytes: Uint8Array, version: string }', answer);
}

/** The error names only the type of the answer, which may itself contain user data. */
function wrong(name: string, contract: string, answer: unknown): PartitionStoreError {
  return new PartitionStoreError(
    'store_mismatch',
    `The partition store's ${name} resolved with ${answer === null ? 'null' : typeof answer} where ${contract} is required. Whether it changed anything is unknown. Correct the store: it must return what PartitionStore says, which partitionStoreConformance tests.`,
  );
}

/** The adapter that oidc-provider needs: keeps the provider's data in memory for as long as it runs. */
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';

type Entries = Map<string, AdapterPayload>;

/** The error detail for a refresh token that was used before, in oidc-provider's own words. */
export const REUSED = 'refresh token already used';

/** @returns the adapters of one provider, one per model, over one memory. */
export function inMemory(): AdapterFactory {
  const models = new Map<string, Entries>();
  return (name) => {
    const entries: Entries = new Map();
    models.set(name, entries);
    return adapter(entries, models);
  };
}

function adapter(entries: Entries, models: ReadonlyMap<string, Entries>): Adapter {
  // Copies: two requests for one token must not see each other's changes before they are stored.
  const first = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const payload of entries.values()) if (matches(payload)) return { ...payload };
    return undefined;
  };
  return {
    async upsert(id, payload) {
      entries.set(id, payload);
    },
    async find(id) {
      const found = entries.get(id);
      return found && { ...found };
    },
    findByUserCode: async (userCode) => first((payload) => payload.userCode === userCode),
    findByUid: async (uid) => first((payload) => payload.uid === uid),
    /**
     * Marks a token as used, once only. oidc-provider checks whether it was used before it calls this, and two concurrent requests would
     * both pass that check. The second one fails here, as a later one would.
     */
    async consume(id) {
      const entry = entries.get(id);
      if (entry === undefined) throw new errors.InvalidGrant('token not found');
      if (entry.consumed !== undefined) {
        for (const each of models.values()) revoke(each, entry.grantId);
        if (entry.grantId !== undefined) models.get('Grant')?.delete(entry.grantId);
        throw new errors.InvalidGrant(entry.kind === 'RefreshToken' ? REUSED : 'code already used');
      }
      entry.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      entries.delete(id);
    },
    async revokeByGrantId(grantId) {
      revoke(entries, grantId);
    },
  };
}

function revoke(entries: Entries, grantId: string | undefined): void {
  if (grantId === undefined) return;
  for (const [id, payload] of entries) if (payload.grantId === grantId) entries.delete(id);
}

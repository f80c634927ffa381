/** What the provider remembers, in memory, for as long as it runs: an adapter as oidc-provider asks for. */
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';

type Entries = Map<string, AdapterPayload>;

/** Why a refresh token was refused that had been used; oidc-provider's own words for one that comes late. */
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
     * Once only. oidc-provider looks whether a token was used before it asks for this, and two requests at the same
     * moment would both pass that look; the second one fails here, as one that came later does.
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

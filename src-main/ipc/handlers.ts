/** Handlers of a window's requests: plain functions over a vault, with system access passed in as ports. */
import type { Synchronous } from '../cache/handle.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { DocumentError } from '../errors.ts';
import {
  activityAccount,
  activityOf,
  activityToken,
  clearActivity,
  noteActivity,
  recordActivity,
} from './activity.ts';
import { accountList, search, tenantOf, tokenCount } from './account-views.ts';
import { choices } from './choices.ts';
import { cachedAccounts, findAccount } from '../accounts/cached-accounts.ts';
import type { AccountList, CopyForm, TokenCacheRequests } from './contract.ts';
import { firstAccounts } from './first-accounts.ts';
import { health } from './health.ts';
import { imports, SupersededError } from './imports.ts';
import { maintenance } from './maintenance.ts';
import { accountsAt, findTokenAt, tokensAt } from './places.ts';
import type { Ports } from './ports.ts';
import { copyConsent } from './copy-consent.ts';
import { removeTokens } from './remove-tokens.ts';
import { copiedText } from './copied-text.ts';
import { CLEAR_ACTIVITY, copyQuestion, revealQuestion } from './questions.ts';
import { type Handlers, plainError } from './requests.ts';
import { removalCountOf, signOutAccounts } from './sign-out.ts';
import { nameTenant } from './tenant-names.ts';
import { decoded, realmOf } from './token-views.ts';

export interface TokenCacheHandlers<Caller> {
  requests: Handlers<TokenCacheRequests, Caller>;
  /** An import that was started outside a window: events report the result. Never rejects. */
  planImport: (path: string) => Promise<void>;
  /** Copies a token that the user chose in a menu of the main process. No question is asked, because no script can choose there. */
  copyChosen: (tokenId: string) => Promise<void>;
  /** Makes every copy ask again. Called when the screen is locked or the user is idle. */
  endConsent: () => void;
}

export function tokenCacheHandlers<Caller>(ports: Ports<Caller>): TokenCacheHandlers<Caller> {
  const { vault, copied, now, emit, places } = ports;
  const planned = imports({ vault, now, reading: (file) => emit('importReading', file) });
  const consent = copyConsent<Caller>(now, ports.onLeave);
  const read = async <T>(fn: Synchronous<T>): Promise<T> => (await vault()).read(fn, { held: true });

  /** A token of the list, with its tenant if that is not the account's home tenant. */
  const found = (cache: TokenCache, id: string) => {
    const at = findTokenAt(cache, places(), id);
    return { ...at, tenant: tenantOf(cache, at.account, realmOf(at.token.token), places()) };
  };

  const copy = async (
    id: string,
    form: CopyForm,
    mayCopy: (token: ReturnType<typeof found>) => Promise<boolean>,
  ): Promise<{ clearsAt: number } | null> => {
    const asked = await read((cache) => found(cache, id));
    const { account, token, place } = asked;
    const text = copiedText(account, token, form);
    if (!(await mayCopy(asked))) return null;
    const opened = await vault(); // The app may have been locked while the question was open.
    const answer = await copied.copy(text);
    await noteActivity(opened, now(), [account], {
      kind: 'copy',
      ...activityToken(account, token, place?.name),
      form,
    });
    return answer;
  };

  const list = async (): Promise<AccountList> => accountList(await read((cache) => cache), now(), places());

  return {
    requests: {
      status: async () => (await vault()).status,
      accounts: list,
      accountsText: async () => JSON.stringify(await list()),
      firstAccountsText: async () => {
        // With accounts of other programs, which are merged with the vault's, only the whole list can be made.
        const first = places().length > 0 ? null : await firstAccounts(await read((cache) => cache), now());
        return JSON.stringify(first ?? (await list()));
      },
      tokens: (_caller, id) => read((cache) => tokensAt(cache, places(), id)),
      claims: (_caller, id) => read((cache) => decoded(findTokenAt(cache, places(), id).token.token)),
      search: async (_caller, text) =>
        search((await read((cache) => accountsAt(cache, places()))).byId, text),

      async nameTenant(_caller, realm, name) {
        await (await vault()).update((cache) => nameTenant(cache, realm, name));
      },

      removalCount: (_caller, ids) => read((cache) => removalCountOf(cache, ids)),
      signOut: async (_caller, ids) =>
        signOutAccounts(await vault(), ids, (cache) => {
          const { byId } = cachedAccounts(cache);
          const leaving = ids === null ? [...byId.values()] : ids.map((id) => findAccount(cache, id));
          const tokens = leaving.reduce((sum, account) => sum + tokenCount(account), 0);
          recordActivity(cache, now(), leaving.map(activityAccount), { kind: 'sign-out', tokens });
        }),

      async reveal(caller, id) {
        const { account, token, place, tenant } = await read((cache) => found(cache, id));
        if (!(await ports.confirm(caller, revealQuestion(account, token, { from: place?.name, tenant }))))
          return null;
        const { secret } = token.token;
        await noteActivity(await vault(), now(), [account], {
          kind: 'reveal',
          ...activityToken(account, token, place?.name),
        });
        return secret;
      },
      copy: (caller, id, form = 'token') =>
        copy(id, form, async ({ account, token, place, tenant }) => {
          if (token.type === 'AccessToken' && consent.isGiven(caller)) {
            ports.useGesture(caller);
            return true;
          }
          const quiet = token.type === 'AccessToken' && ports.asksRarely();
          const question = copyQuestion(account, token, { from: place?.name, tenant, quiet });
          const agreed = await ports.confirm(caller, question, () => consent.give(caller));
          if (agreed && quiet) consent.give(caller);
          return agreed;
        }),
      removeTokens: (caller, ids) => removeTokens(ports, caller, ids),

      async chooseImport(caller) {
        const path = await ports.chooseFile(caller);
        return path === null ? null : planned.plan(path);
      },
      planImport(_caller, path) {
        assertLocal(path);
        return planned.plan(path);
      },
      unlockImport: (_caller, id, passphrase) => planned.unlock(id, passphrase),
      confirmImport: (_caller, id) => planned.confirm(id),
      cancelImport: (_caller, id) => planned.cancel(id),

      async retry(caller) {
        ports.useGesture(caller); // a locked keychain may prompt for its password
        ports.beforeRetry();
        return (await vault()).retry();
      },
      recover: async () => {
        await (await vault()).recover();
        return (await vault()).status;
      },
      startFresh: async () => {
        await (await vault()).startFresh();
        return (await vault()).status;
      },
      activity: (_caller, id) => read((cache) => activityOf(cache, id, now())),
      async clearActivity(caller) {
        if (!(await ports.confirm(caller, CLEAR_ACTIVITY))) return false;
        await (await vault()).update((cache) => clearActivity(cache, now()));
        return true;
      },
      ...choices(ports),
      ...maintenance(ports),
      ...health(ports),
    },

    endConsent: () => consent.end(),
    copyChosen: async (id) => void (await copy(id, 'token', () => Promise.resolve(true))),
    async planImport(path) {
      try {
        emit('importPlanned', await planned.plan(path));
      } catch (error) {
        if (error instanceof SupersededError) return; // the import that replaced this one is shown
        emit('importFailed', plainError(ports.explain?.(error) ?? error));
      }
    },
  };
}

/**
 * A page can't choose a path, but an attacker in its process can. A path that begins with two slashes makes Windows
 * connect to the named computer and authenticate as the user.
 */
function assertLocal(path: string): void {
  if (!/^[\\/]{2}/.test(path)) return;
  throw new DocumentError(
    'document_unreadable',
    'A file on another computer can’t be dropped on the window. Nothing was imported. Choose it with Import… instead.',
  );
}

/** What answers a window, request by request: plain functions over a vault, with the system's doors passed in. */
import type { TokenCache } from '../cache/token-cache.ts';
import { DocumentError, InvalidArgumentError } from '../errors.ts';
import { accountList } from './account-list.ts';
import type { TokenCacheEvents, TokenCacheRequests } from './contract.ts';
import type { Copied } from './copied.ts';
import { decoded } from './decoded.ts';
import { health } from './health.ts';
import { type Holding, holdingsOf } from './holdings.ts';
import { type AccountId, accountOf, type TokenId } from './ids.ts';
import { imports } from './imports.ts';
import { plainError } from './outcome.ts';
import { copyQuestion, type Question, revealQuestion } from './questions.ts';
import type { Handlers } from './requests.ts';
import { search } from './search.ts';
import { removalCountOf, signOut, signOutAll } from './sign-outs.ts';
import { type IdentifiedToken, identify, tokenItems } from './token-items.ts';
import type { ServedVault } from './served-vault.ts';
import { upkeep } from './upkeep.ts';

/** What the handlers need of the system. `Caller` is the window that asks, whatever stands for it. */
export interface Doors<Caller> {
  /** Requests wait for it. */
  vault: Promise<ServedVault>;
  copied: Copied;
  /** Seconds since the epoch. */
  now: () => number;
  /** Asks the user in a dialog that no script of the window can answer; false where it was refused. */
  confirm: (caller: Caller, question: Question) => Promise<boolean>;
  /** Absolute path; null where the dialog was dismissed. */
  chooseFile: (caller: Caller) => Promise<string | null>;
  /** Where to save; `name` is the one to suggest. Absolute path; null where the dialog was dismissed. */
  chooseTarget: (caller: Caller, name: string) => Promise<string | null>;
  /** To all windows. */
  tell: <Name extends keyof TokenCacheEvents>(name: Name, event: TokenCacheEvents[Name]) => void;
  /** Before the vault is asked again because the user chose Retry. */
  beforeRetry: () => void;
}

export interface TokenCacheHandlers<Caller> {
  requests: Handlers<TokenCacheRequests, Caller>;
  /** An import begun outside a window: tells what came of it by events. Never rejects. */
  planImport: (path: string) => Promise<void>;
}

export function tokenCacheHandlers<Caller>(doors: Doors<Caller>): TokenCacheHandlers<Caller> {
  const { vault, copied, now, tell } = doors;
  const planned = imports({ vault, now, reading: (file) => tell('importReading', file) });
  const read = async <T>(fn: (cache: TokenCache) => T): Promise<T> => (await vault).read(fn);

  const holding = (id: AccountId): Promise<Holding> => read((cache) => holdingIn(cache, id));
  const token = (id: TokenId): Promise<[Holding, IdentifiedToken]> => read((cache) => tokenIn(cache, id));

  return {
    requests: {
      status: async () => (await vault).status,
      accounts: async () => accountList(await read(holdingsOf), now()),
      tokens: async (_caller, id) => tokenItems(await holding(id)),
      claims: async (_caller, id) => decoded((await token(id))[1].token),
      search: async (_caller, text) => search((await read(holdingsOf)).byId, text),

      removalCount: (_caller, id) =>
        read((cache) => removalCountOf(cache, id === null ? null : holdingIn(cache, id))),
      signOut: async (_caller, id) => signOut(await vault, await holding(id)),
      signOutAll: async () => signOutAll(await vault),

      async reveal(caller, id) {
        const [whose, which] = await token(id);
        return (await doors.confirm(caller, revealQuestion(whose, which))) ? which.token.secret : null;
      },
      async copy(caller, id) {
        const [whose, which] = await token(id);
        const agreed = await doors.confirm(caller, copyQuestion(whose, which));
        return agreed ? copied.copy(which.token.secret) : null;
      },

      async chooseImport(caller) {
        const path = await doors.chooseFile(caller);
        return path === null ? null : planned.plan(path);
      },
      planImport(_caller, path) {
        assertHere(path);
        return planned.plan(path);
      },
      unlockImport: (_caller, id, passphrase) => planned.unlock(id, passphrase),
      confirmImport: (_caller, id) => planned.confirm(id),
      cancelImport: (_caller, id) => planned.cancel(id),

      async retry() {
        doors.beforeRetry();
        return (await vault).retry();
      },
      recover: async () => {
        await (await vault).recover();
        return (await vault).status;
      },
      startFresh: async () => {
        await (await vault).startFresh();
        return (await vault).status;
      },
      ...upkeep(doors),
      ...health(doors),
    },

    async planImport(path) {
      try {
        tell('importPlanned', await planned.plan(path));
      } catch (error) {
        tell('importFailed', plainError(error));
      }
    },
  };
}

/**
 * A page can name no path, but whoever has taken over its process can name any. One that begins with two slashes has Windows
 * connect to the computer that is named there, and prove to it who the user is.
 */
function assertHere(path: string): void {
  if (!/^[\\/]{2}/.test(path)) return;
  throw new DocumentError(
    'document_unreadable',
    'A file on another computer can’t be dropped on the window. Nothing was imported. Choose it with Import… instead.',
  );
}

function holdingIn(cache: TokenCache, id: AccountId): Holding {
  const found = holdingsOf(cache).byId.get(id);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('This account is not in the cache any more. Nothing was done.');
}

function tokenIn(cache: TokenCache, id: TokenId): [Holding, IdentifiedToken] {
  const holding = holdingIn(cache, accountOf(id));
  const found = identify(holding).find((candidate) => candidate.id === id);
  if (found !== undefined) return [holding, found];
  throw new InvalidArgumentError('This token is not in the cache any more. Nothing was done.');
}

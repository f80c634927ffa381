import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { tokenCacheHandlers } from '../../src-main/ipc/handlers.ts';
import type { ImportPlan } from '../../src-main/ipc/contract.ts';
import type { PlaceCache } from '../../src-main/ipc/places.ts';
import type { Question } from '../../src-main/ipc/questions.ts';
import { fakeVault } from './fake-vault.ts';

/** A user at a window over a cache. Records what the user was asked, answered, copied and was told. */
export function windowOver(cache: TokenCache, places: readonly PlaceCache[] = []) {
  const user = {
    agrees: true,
    ticks: false,
    asksRarely: false,
    alsoForgets: null as string | null,
    chooses: null as string | null,
    saves: null as string | null,
    now: Date.UTC(2026, 5, 1, 12, 30) / 1000,
    /** The vault was closed because the user is away. */
    isAway: false,
    /** Called while a question is open. */
    whileAsked: () => {},
  };
  const questions: Question[] = [];
  const told: { name: string; event: unknown }[] = [];
  const copied: string[] = [];
  const suggested: string[] = [];
  const gestures: string[] = [];
  const leaving: (() => void)[] = [];
  const vault = fakeVault(cache);
  const handlers = tokenCacheHandlers<string>({
    vault: () => (user.isAway ? Promise.reject(new Error('away')) : Promise.resolve(vault)),
    places: () => places,
    copied: {
      copy: (secret) => Promise.resolve((copied.push(secret), { clearsAt: 30_000 })),
      clear: () => Promise.resolve(),
      holding: false,
    },
    now: () => user.now,
    confirm: (_window, question, onOption) => {
      questions.push(question);
      user.whileAsked();
      if (user.agrees && user.ticks && question.option !== undefined) onOption?.();
      return Promise.resolve(user.agrees);
    },
    asksRarely: () => user.asksRarely,
    useGesture: () => void gestures.push('used'),
    onLeave: (_window, call) => void leaving.push(call),
    chooseFile: () => Promise.resolve(user.chooses),
    chooseTarget: (_window, name) => {
      suggested.push(name);
      return Promise.resolve(user.saves);
    },
    emit: (name, event) => void told.push({ name, event }),
    beforeRetry: () => void vault.asked.push('beforeRetry'),
    afterForget: () => void vault.asked.push('afterForget'),
    alsoForgets: () => user.alsoForgets,
  });
  const ask = handlers.requests;
  /** Returns the import plan of a document that needs no passphrase. */
  const planOf = async (path: string): Promise<ImportPlan> => {
    const plan = await ask.planImport('the window', path);
    if ('locked' in plan) throw new Error('This document needs a passphrase.');
    return plan;
  };
  return { ...handlers, ask, planOf, vault, user, questions, told, copied, suggested, gestures, leaving };
}

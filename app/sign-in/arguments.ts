/** Validates the arguments of the sign-in requests. */
import { InvalidArgumentError } from 'tokenkeep';
import { type ArgumentCheck, type ArgumentChecks, noArguments } from 'tokenkeep/ipc';
import * as v from 'valibot';
import type { SignInRequests } from './contract.ts';
import { checkedDraft } from './profiles.ts';

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
const accountId = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/));
const tokenId = v.pipe(v.string(), v.regex(/^[\w.-]{1,120}$/));
const accountIds = v.nullable(v.pipe(v.array(accountId), v.minLength(1), v.maxLength(20_000)));
const loginHint = v.nullable(v.pipe(v.string(), v.maxLength(320)));
const wishes = v.strictObject({
  vault: v.boolean(),
  revoke: v.boolean(),
  endSession: v.boolean(),
  places: v.pipe(v.array(id), v.maxLength(200)),
  except: v.exactOptional(v.pipe(v.array(v.strictObject({ accountId, place: id })), v.maxLength(20_000))),
});

export const signInChecks: ArgumentChecks<SignInRequests> = {
  profiles: noArguments,
  saveProfile(args) {
    const [draft, its] = takes(v.strictTuple([v.unknown(), v.nullable(id)]))(args);
    return [checkedDraft(draft), its];
  },
  removeProfile: takes(v.strictTuple([id])),
  signIn: takes(v.strictTuple([id, v.picklist(['browser', 'device']), loginHint])),
  signInAgain: takes(v.strictTuple([accountId])),
  signInProgress: noArguments,
  cancelSignIn: noArguments,
  openSignInPage: noArguments,
  copyDeviceCode: noArguments,
  refreshStatus: takes(v.strictTuple([accountId])),
  refreshNow: takes(v.strictTuple([accountId, v.nullable(tokenId)])),
  refreshUnasked: takes(v.strictTuple([accountId])),
  userInfo: takes(v.strictTuple([accountId])),
  setAutoRefresh: takes(v.strictTuple([accountId, v.boolean()])),
  signOutPlaces: takes(v.strictTuple([v.pipe(v.array(accountId), v.maxLength(20_000))])),
  signOutOffers: takes(v.strictTuple([accountIds])),
  signOutCopies: takes(v.strictTuple([accountIds])),
  signOut: takes(v.strictTuple([accountIds, wishes])),
  undoSignOut: takes(v.strictTuple([id])),
  checkSignOut: takes(v.strictTuple([id])),
  signOutDone: takes(v.strictTuple([id])),
  signOuts: noArguments,
  clearActivity: noArguments,
  checkSignature: takes(
    v.strictTuple([
      v.union([
        v.strictObject({ text: v.pipe(v.string(), v.maxLength(1_000_000)) }),
        v.strictObject({ tokenId }),
      ]),
    ]),
  ),
};

/** For the app's own requests. */
export const menuStateCheck = takes(
  v.strictTuple([v.strictObject({ signOut: v.boolean(), signOutAll: v.boolean() })]),
);

function takes<Args extends readonly unknown[]>(schema: v.GenericSchema<unknown, Args>): ArgumentCheck<Args> {
  return (args) => {
    const result = v.safeParse(schema, args);
    if (result.success) return result.output;
    throw new InvalidArgumentError(
      'The request was sent with arguments that it does not take. Nothing was done.',
    );
  };
}

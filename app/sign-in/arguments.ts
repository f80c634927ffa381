/** The arguments of what the window asks about signing in, checked before anything is done with them. */
import { InvalidArgumentError } from 'tokenkeep';
import { type ArgumentCheck, type ArgumentChecks, noArguments } from 'tokenkeep/electron';
import * as v from 'valibot';
import type { SignInRequests } from './contract.ts';
import { checkedDraft } from './profile.ts';

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
const account = v.strictObject({
  home_account_id: v.pipe(v.string(), v.maxLength(1000)),
  environment: v.pipe(v.string(), v.maxLength(300)),
});
const wishes = v.strictObject({ revoke: v.boolean(), endSession: v.boolean() });

export const signInChecks: ArgumentChecks<SignInRequests> = {
  profiles: noArguments,
  saveProfile(args) {
    const [draft, its] = takes(v.strictTuple([v.unknown(), v.nullable(id)]))(args);
    return [checkedDraft(draft), its];
  },
  removeProfile: takes(v.strictTuple([id])),
  signIn: takes(v.strictTuple([id, v.picklist(['browser', 'device'])])),
  signInProgress: noArguments,
  cancelSignIn: noArguments,
  openSignInPage: noArguments,
  copyDeviceCode: noArguments,
  care: takes(v.strictTuple([account])),
  refreshNow: takes(v.strictTuple([account])),
  keepFresh: takes(v.strictTuple([account, v.boolean()])),
  leaveOffers: takes(v.strictTuple([v.nullable(account)])),
  prepareLeaving: takes(v.strictTuple([v.nullable(account), wishes])),
  finishLeaving: takes(v.strictTuple([id])),
};

function takes<Args extends readonly unknown[]>(schema: v.GenericSchema<unknown, Args>): ArgumentCheck<Args> {
  return (args) => {
    const result = v.safeParse(schema, args);
    if (result.success) return result.output;
    throw new InvalidArgumentError(
      'The request was sent with arguments that it does not take. Nothing was done.',
    );
  };
}

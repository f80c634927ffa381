/** Choices about the vault as a whole, each after a dialog of the main process: which version to keep, or to delete the vault. */
import { VaultError } from '../errors.ts';
import type { VaultStatus } from '../vault/state.ts';
import type { TokenCacheRequests } from './contract.ts';
import type { Ports, ServedVault } from './ports.ts';
import type { Question } from './questions.ts';
import type { Handlers } from './requests.ts';

type Choices = Pick<TokenCacheRequests, 'keepMine' | 'takeFile' | 'makeOwn' | 'forget'>;

export function choices<Caller>({
  vault,
  confirm,
  afterForget,
  alsoForgets,
}: Pick<Ports<Caller>, 'vault' | 'confirm' | 'afterForget' | 'alsoForgets'>): Handlers<Choices, Caller> {
  const after = async <T>(
    caller: Caller,
    question: (status: VaultStatus) => Question,
    act: (opened: ServedVault) => Promise<T>,
  ): Promise<T | null> => {
    const opened = await vault();
    if (!(await confirm(caller, question(opened.status)))) return null;
    return act(opened);
  };
  const status = (act: (opened: ServedVault) => Promise<void>) => async (opened: ServedVault) => {
    await act(opened);
    return opened.status;
  };
  return {
    keepMine: (caller) =>
      after(
        caller,
        keepQuestion,
        status((opened) => opened.keepMine()),
      ),
    takeFile: (caller) =>
      after(
        caller,
        takeQuestion,
        status((opened) => opened.takeFile()),
      ),
    makeOwn: (caller) =>
      after(
        caller,
        () => MAKE_OWN,
        status((opened) => opened.makeOwn()),
      ),
    forget: async (caller) => {
      const opened = await vault();
      if (opened.status.bytes === null && opened.status.state === 'ready') throw nothingThere();
      return after(
        caller,
        (at) => forgetQuestion(at, alsoForgets()),
        async () => {
          const forgotten = await opened.forget();
          afterForget();
          return forgotten;
        },
      );
    },
  };
}

function keepQuestion({ older, kept, bytes }: VaultStatus): Question {
  const [how, before] =
    bytes === null ? ['written again with', ''] : ['replaced with', 'The replaced file is kept beside it. '];
  return {
    message: 'Keep the accounts of this window?',
    detail:
      `The file is ${how} what Tokenkeep has in memory: ${accounts(older?.mine ?? kept ?? 0)}. ` +
      `${before}Accounts that were signed out in the meantime stay signed out.`,
    yes: 'Keep',
  };
}

function takeQuestion({ older, bytes }: VaultStatus): Question {
  const mine = older?.mine ?? null;
  const discarded = mine === null ? '' : ` What Tokenkeep has in memory is discarded: ${accounts(mine)}.`;
  if (bytes === null) {
    return {
      message: 'Begin with an empty vault?',
      detail: `The vault’s file was deleted or moved.${discarded}`,
      yes: 'Begin empty',
    };
  }
  return {
    message: 'Use the older file?',
    detail:
      `It holds ${older?.file === null ? 'nothing that can be opened' : accounts(older?.file ?? 0)}.${discarded} ` +
      'Accounts that were signed out since it was written stay signed out. A copy of the file is kept beside it.',
    yes: 'Use the file',
  };
}

const MAKE_OWN: Question = {
  message: 'Make this copy a vault of its own?',
  detail:
    'The file is written again with an encryption key of its own. After that, it can be changed, and signing out in one ' +
    'vault no longer affects the other. Both vaults then hold the same sign-ins.',
  yes: 'Make independent',
};

function forgetQuestion({ state }: VaultStatus, also: string | null): Question {
  const key =
    state === 'copy'
      ? 'The key belongs to the original and is kept.'
      : state === 'locked' || state === 'no-keychain'
        ? 'Its encryption key is deleted as soon as the keychain is available. Until then, backups of the file can be opened.'
        : 'Its encryption key is deleted too, so no backup of the file can be opened.';
  return {
    message: 'Delete the vault?',
    detail:
      `The vault’s file and all accounts in it are deleted. ${key} Apps and providers are not told: ` +
      `tokens stay valid until they expire. To revoke them, sign out first.${also === null ? '' : ` ${also}`}`,
    yes: 'Delete',
  };
}

function accounts(number: number): string {
  return number === 1 ? '1 account' : `${number} accounts`;
}

function nothingThere(): VaultError {
  return new VaultError('vault_empty', 'There is no vault file, so there is nothing to delete.');
}

/** What the main process asks before a secret leaves it. The dialog names the token, so that a yes is to this one. */
import { printable } from '../vault/printable.ts';
import { nameOf, usernameOf } from './account-list.ts';
import type { Holding } from './holdings.ts';
import type { IdentifiedToken } from './token-items.ts';
import { tokenItems } from './token-items.ts';

/** What the main process asks the user by itself, in plain text. */
export interface Question {
  /** One line. */
  message: string;
  /** What comes of a yes. */
  detail: string;
  /** The button that agrees; the other one is Cancel. */
  yes: string;
}

const KINDS = { AccessToken: 'access token', RefreshToken: 'refresh token', IdToken: 'ID token' };

const MEANS = {
  AccessToken: 'Whoever has it can act in your name with that API until it expires.',
  RefreshToken: 'Whoever has it can get new access tokens in your name, often for months.',
  IdToken: 'It tells whoever has it who you are, and some services accept it as proof.',
};

export function revealQuestion(holding: Holding, token: IdentifiedToken): Question {
  return {
    message: `Show this ${KINDS[token.type]}?`,
    detail: `${describe(holding, token)}\n\n${MEANS[token.type]} It will be visible on the screen until you hide it.`,
    yes: 'Show',
  };
}

export function copyQuestion(holding: Holding, token: IdentifiedToken): Question {
  return {
    message: `Copy this ${KINDS[token.type]}?`,
    detail: `${describe(holding, token)}\n\n${MEANS[token.type]} Other programs can read the clipboard; it is cleared after 30 seconds.`,
    yes: 'Copy',
  };
}

/** Three lines at most: whose, for what, by which app. */
function describe(holding: Holding, { id, type }: IdentifiedToken): string {
  const item = tokenItems(holding).find((candidate) => candidate.id === id);
  const who = holding.kind === 'app' ? 'an app, without a user' : whose(holding);
  const what = type === 'AccessToken' ? (item?.audience ?? item?.scopes.join(' ') ?? '') : '';
  const app = [item?.client_name, item?.client_id].filter((part) => part !== null && part !== undefined);
  return [
    `Account: ${who}`,
    ...(what === '' ? [] : [`For: ${printable(what, 120)}`]),
    `App: ${printable(app.join(', '), 120)}`,
  ].join('\n');
}

function whose(holding: Holding): string {
  const [username, name] = [usernameOf(holding), nameOf(holding) ?? ''];
  if (username !== '' && name !== '') return `${printable(name, 80)}, ${printable(username, 120)}`;
  return printable(username || name || (holding.home_account_id ?? ''), 120);
}

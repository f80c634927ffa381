/**
 * Asks a provider's UserInfo endpoint who an account is (OpenID Connect Core §5.3), once the user has agreed. An access token goes only to
 * the issuer that it came from.
 */
import * as oidc from 'openid-client';
import type { AccessToken, Vault } from 'tokenkeep';
import { isMicrosoft } from 'tokenkeep/cache';
import {
  type CachedAccount,
  claimList,
  findAccount,
  isMicrosoftCloud,
  historyOf,
  type Question,
} from 'tokenkeep/ipc';
import type { Ask, Consent } from './consent.ts';
import type { SignInProfile, UserInfo } from './contract.ts';
import { failureOf, isForNow, signInError } from './failures.ts';
import { type IssuerLookup, lookUpIssuer } from './issuer-lookup.ts';
import { whoIs } from './names.ts';
import { isSameIssuer } from './profiles.ts';
import { isWebPage } from './provider.ts';
import { claimsIn } from './received.ts';
import { isBound } from './refresh.ts';

export interface UserInfoPorts {
  profiles: { list: () => readonly SignInProfile[] };
  consent: Consent;
  ask: Ask;
  /** Seconds since the epoch. */
  now: () => number;
}

/** Microsoft's endpoint is part of Graph and takes Graph's tokens. */
const GRAPH = /^(?:https:\/\/graph\.microsoft\.(?:com|us)|00000003-0000-0000-c000-000000000000)(?:\/|$)/i;

interface Usable {
  token: AccessToken;
  found: IssuerLookup;
}

/**
 * @returns null if the user declined
 * @throws SignInError `no_user_token`, `no_user_info`, `user_info_refused`, `answer_invalid` if the answer is about another user, …
 */
export async function userInfo(
  vault: Pick<Vault, 'read'>,
  accountId: string,
  { profiles, consent, ask, now }: UserInfoPorts,
): Promise<UserInfo | null> {
  const { account, usable, secret } = await vault.read((cache) => {
    const found = findAccount(cache, accountId);
    const history = historyOf(cache, accountId);
    const [first] = found.accessTokens
      .filter((token) => isUsable(token, now()))
      .flatMap((token): Usable[] => {
        const { client_id, realm } = token;
        const own = token['issuer'];
        const issuer = lookUpIssuer(found, history, profiles.list(), {
          client_id,
          own,
          realm: realm ?? undefined,
        });
        return issuer === undefined ? [] : [{ token, found: issuer }];
      })
      .sort((a, b) => Number(b.token.expires_on) - Number(a.token.expires_on));
    return { account: found, usable: first, secret: first?.token.secret };
  });
  const subject = usable && subjectOf(account, usable.token.client_id, usable.found.issuer);
  if (usable === undefined || secret === undefined || subject === undefined)
    throw signInError('no_user_token', { issuer: '', client_id: '' });
  const { issuer } = usable.found;
  const { client_id } = usable.token;
  const about = { issuer, client_id };
  const who = whoIs(account);

  if ((await ask?.(question(who, issuer))) !== true) return null;
  const why = `An access token of ${who} is about to be sent there.`;
  const { config, metadata } = await consent.findAllowed(issuer, client_id, ask, why);
  const endpoint = metadata.userinfo_endpoint;
  if (endpoint === undefined || !isWebPage(endpoint)) throw signInError('no_user_info', about);
  const host = new URL(endpoint).host;
  const known = host === new URL(issuer).host || (isMicrosoftCloud(issuer) && isMicrosoft(host));
  if (!known && (await ask?.(otherHostQuestion(who, issuer, host))) !== true) return null;

  const heard = heardFrom(config);
  try {
    await oidc.fetchUserInfo(heard.config, secret, subject);
    return { claims: claimList(heard.text()), host, at: now() };
  } catch (error) {
    const refused =
      error instanceof oidc.WWWAuthenticateChallengeError ||
      (error instanceof oidc.ClientError &&
        error.cause instanceof Response &&
        /^4/.test(String(error.cause.status)) &&
        !isForNow(error.cause.status));
    if (error instanceof oidc.ClientError && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
      throw signInError('answer_invalid', about, error);
    throw refused ? signInError('user_info_refused', about, error) : failureOf(error, about);
  }
}

/** A copy of a configuration, which keeps the text of the first answer: openid-client returns claims whose large numbers are rounded. */
function heardFrom(config: oidc.Configuration): { config: oidc.Configuration; text: () => string } {
  const client = config.clientMetadata();
  const copy = new oidc.Configuration(config.serverMetadata(), client.client_id, client, oidc.None());
  copy.timeout = config.timeout;
  oidc.enableNonRepudiationChecks(copy);
  const send = config[oidc.customFetch] ?? fetch;
  let text: string | undefined;
  copy[oidc.customFetch] = async (url, options) => {
    const answer = await (send as oidc.CustomFetch)(url, options);
    text ??= await answer.clone().text(); // a signed answer is followed by a request for the keys
    return answer;
  };
  return { config: copy, text: () => payloadTextOf(text ?? '') };
}

/** The claims of an answer as JSON: the payload of a signed one (OpenID Connect Core §5.3.2). */
function payloadTextOf(answer: string): string {
  return answer.trimStart().startsWith('{')
    ? answer
    : Buffer.from(answer.split('.')[1] ?? '', 'base64url').toString();
}

/**
 * Whether UserInfo may accept a token: it is for Graph (Microsoft) or has the scope `openid`, is not bound to a key, and is still valid.
 */
function isUsable(token: AccessToken, now: number): boolean {
  const scopes = token.target.split(' ');
  const isGraph = scopes.some((scope) => GRAPH.test(scope)) || GRAPH.test(audience(token));
  const wanted = isMicrosoft(token.environment) ? isGraph : scopes.includes('openid');
  return wanted && !isBound(token) && Number(token.expires_on) > now;
}

function audience(token: AccessToken): string {
  const aud = claimsIn(token)?.['aud'];
  return typeof aud === 'string' ? aud : '';
}

/** The `sub` of the account's ID token for this app: an answer about another user is not used (§5.3.2). */
function subjectOf({ idTokens }: CachedAccount, client_id: string, issuer: string): string | undefined {
  const [sub] = idTokens
    .filter((token) => token.client_id === client_id)
    .map((token) => claimsIn(token))
    .filter((claims) => isMicrosoft(new URL(issuer).host) || isSameIssuer(String(claims?.['iss']), issuer))
    .map((claims) => claims?.['sub']);
  return typeof sub === 'string' ? sub : undefined;
}

function question(who: string, issuer: string): Question {
  return {
    message: 'Request user info?',
    detail: `Tokenkeep asks ${issuer} who ${who} is, and sends it one of this account’s access tokens.`,
    yes: 'Request',
  };
}

function otherHostQuestion(who: string, issuer: string, host: string): Question {
  return {
    message: `Send the access token to ${host}?`,
    detail: `${issuer} names this host for user info. It gets an access token of ${who}. Continue only if you know that it belongs to your provider.`,
    yes: 'Send',
  };
}

/** `get`, `credential` and `decode`: the verbs that print a token or its claims. */
import { acquireTokenSilent, isTokenRefused } from '../cache/acquire.ts';
import { isRecord } from '../cache/json.ts';
import type { AccessToken, AccountSummary, RefreshToken } from '../cache/schema/entities.ts';
import { isCloudHost } from '../cache/schema/authorities.ts';
import { decodeBase64url, type ReadToken, readToken } from '../cache/schema/claims.ts';
import { expiryOf, isRefusedForGood } from '../cache/schema/expiry.ts';
import type { GrantItem } from '../cache/schema/grants.ts';
import type { Refusal } from '../cache/account-status.ts';
import { isSendable, authorizationScheme } from '../cache/schema/sendable.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { SignInRequiredError } from '../errors.ts';
import {
  type AccountHistory,
  changeHistory,
  historyOf,
  isSharedGrant,
  refusalReason,
  sharedText,
  withOwnGrant,
} from '../accounts/account-history.ts';
import { recordRefusal } from '../ipc/activity.ts';
import { type CachedAccount, cachedAccounts } from '../accounts/cached-accounts.ts';
import { issuerOfToken } from '../accounts/issuer-lookup.ts';
import type { Vault } from '../vault/api.ts';
import { note } from './activity.ts';
import type { Given } from './arguments.ts';
import { freshGrant, grantsOf, grantsWith, issuerOfGrant, oneForEachClient } from './grants.ts';
import { isCalled, namedIn, peopleIn, personNamed, VAULT } from './people.ts';
import { agreeToHost, allowedBeside } from './host-consent.ts';
import { errorCodeOf, issuerOrStop, NewHost, notKept, redeemAt, untilKept } from './refresh.ts';
import { json, jsonText, printable, relative } from './text.ts';
import { assertReadable, withVault } from './vault.ts';
import { assertAgreed, EXIT, NOTHING_SENT, Stop, type World } from './world.ts';

export async function get(given: Given, world: World): Promise<number> {
  // Fails before anything is opened or refreshed.
  if (!given.has('reveal')) assertNoTerminal(world, ', or add --reveal');
  const token = await withVault(given, world, async (vault) => {
    const found = await tokenFor(vault, given, world);
    // A token given to a program is not recorded as an event: scripts ask for one every few minutes.
    if (world.out.isTerminal) {
      const { accounts, client_id, target } = found;
      await note(vault, world, accounts, { kind: 'reveal', token: 'AccessToken', api: target, client_id });
    }
    return found;
  });
  const { secret, target, expiresOn, token_type } = token;
  if (given.has('json'))
    world.out.write(json({ access_token: secret, scope: target, expires_on: expiresOn, token_type }, 0));
  else world.out.write(given.has('header') ? `Authorization: ${token_type} ${secret}\n` : `${secret}\n`);
  return EXIT.ok;
}

/** @throws Stop if a token would be printed to a terminal */
function assertNoTerminal(world: World, otherwise = ''): void {
  if (!world.out.isTerminal) return;
  throw new Stop(
    EXIT.notPrinted,
    'Not printed: standard output is a terminal, and its scrollback would keep the token.',
    `Pipe the output to a program${otherwise}.`,
  );
}

interface Found {
  readonly accounts: readonly CachedAccount[];
  readonly client_id: string;
  readonly secret: string;
  readonly target: string;
  readonly token_type: string;
  /** Seconds since the epoch; null if unknown. */
  readonly expiresOn: number | null;
}

/** @throws Stop if there is no token, or the secret is not a valid token: a line break would begin another header or attribute */
async function tokenFor(vault: Vault, given: Given, world: World): Promise<Found> {
  const found = await cachedOrRefreshed(vault, given, world);
  if (isSendable(found.secret)) return found;
  throw new Stop(
    EXIT.failed,
    'The access token in the cache is not valid: it contains a line break or another character that tokens can’t have.',
    'Nothing was printed. Sign in again.',
  );
}

/**
 * Gets the token. If that would use a refresh token that another program uses as well, or send one to a new host, asks the user, and begins
 * again with what the vault then has.
 */
async function cachedOrRefreshed(vault: Vault, given: Given, world: World): Promise<Found> {
  for (;;)
    try {
      return await attempt(vault, given, world);
    } catch (error) {
      if (error instanceof NewHost) await agreeToHost(vault, world, error);
      else if (error instanceof Unasked) await agreeToRefresh(vault, world, error.imported);
      else throw error;
    }
}

async function attempt(vault: Vault, given: Given, world: World): Promise<Found> {
  assertReadable(vault, world);
  const name = given.value('account');
  const scopes = given.values('scope').flatMap((scope) => scope.split(/\s+/).filter((one) => one !== ''));
  if (name === undefined || scopes.length === 0)
    throw new Stop(EXIT.usage, 'Name the account and what the token is for: --account ACCOUNT --scope SCOPE');
  const client = given.value('client');
  const isAsked = ({ client_id }: { client_id: string }): boolean =>
    client === undefined || client_id === client;
  const found = await vault.read((cache) => {
    const accounts = cache.accounts().filter((one) => isCalled(one, name));
    const people = peopleIn([{ name: VAULT, cache, accounts }], world.now());
    const { account } = personNamed(people, name);
    const { home_account_id, environment, issuer } = account;
    const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
    const tokens = [...cache.find('AccessToken', { query }), ...cache.find('RefreshToken', { query })];
    const named = namedIn(cache, account);
    return {
      account,
      accounts: named,
      history: named.map(({ id }) => historyOf(cache, id))[0],
      clients: [...new Set(tokens.filter(isAsked).map(({ client_id }) => client_id))],
      fitting: clientsWith(cache.find('AccessToken', { query }).filter(isAsked), scopes),
      grants: grantsOf(cache, account).filter(isAsked),
    };
  });
  const { clients, fitting, grants } = found;
  const fittingGrants = oneForEachClient(grantsWith(grants, scopes), world.now(), {
    forceRefresh: given.has('refresh'),
  });
  const [grant] = fittingGrants;
  if (
    fitting.length === 0 &&
    fittingGrants.length === 1 &&
    grant !== undefined &&
    (clients.length === 0 || client !== undefined)
  )
    return grantTokenFor(vault, given, world, { ...found, grant });
  const client_id =
    client ??
    (fitting.length === 1 && fittingGrants.length === 0
      ? fitting[0]
      : fitting.length === 0 && fittingGrants.length === 0 && clients.length === 1
        ? clients[0]
        : undefined);
  const others = fittingGrants.length > 0 ? fittingGrants : grants;
  if (client_id === undefined && clients.length === 0 && grants.length > 0 && fittingGrants.length === 0)
    throw new Stop(
      EXIT.signInRequired,
      `No sign-in of ${name} includes ${scopes.join(' ')}. Granted: ${grants.map(({ target }) => target).join('; ')}. Sign in again with the scopes that you need.`,
    );
  if (client_id === undefined) {
    const all = [...new Set([...clients, ...others.map((grant) => grant.client_id)])];
    throw new Stop(
      EXIT.usage,
      all.length === 0
        ? `The vault has no token of ${name}${client === undefined ? '' : ` for the client ${client}`}. Sign in first.`
        : `Several apps could get this token. Name one: ${all.map((id) => `--client ${id}`).join(' or ')}`,
    );
  }
  return msalTokenFor(vault, given, world, { ...found, client_id, scopes });
}

async function grantTokenFor(
  vault: Vault,
  given: Given,
  world: World,
  asked: Pick<Asked, 'account' | 'accounts' | 'history'> & { readonly grant: GrantItem },
): Promise<Found> {
  const { account, accounts, grant } = asked;
  const { client_id } = grant;
  let refused: Refusal | undefined;
  const { isRefreshed, ...token } = await freshGrant(vault, world, grant, {
    forceRefresh: given.has('refresh'),
    assertAsked: () => {
      const imported = importOfGrant(asked);
      if (imported !== undefined) throw new Unasked(imported);
    },
    onRefused: (code) => (refused = refusalAt(code, world.now())),
  }).catch(async (error: unknown) => {
    const issuer = issuerOfGrant(grant);
    const provider = { ...account, ...(issuer === undefined ? {} : { issuer }) };
    if (refused !== undefined) await noteRefusal(vault, accounts, client_id, provider, refused);
    throw error;
  });
  if (isRefreshed) await noteRefresh(vault, world, { ...token, accounts, client_id });
  return { ...token, accounts, client_id, token_type: authorizationScheme(token.token_type) };
}

/** An imported refresh token, which the program that wrote the file uses too: a refresh may sign that program out. */
interface Imported {
  readonly account: AccountSummary;
  readonly source: string | null;
  /** The issuer that the file names, to which the refresh token is sent; "" if the file names none. */
  readonly issuer: string;
  /** Records that the user agreed that this token is used, and no other one, such as one that was imported while the question was open. */
  readonly agree: (cache: TokenCache) => void;
}

/** Thrown instead of a request: another program uses the refresh token as well, and the user was not asked. */
class Unasked extends Error {
  constructor(readonly imported: Imported) {
    super('The user was not asked.');
  }
}

/** @returns undefined if the refresh token is not shared, or can't be sent anywhere */
function importOf(
  found: Pick<Asked, 'account' | 'accounts' | 'history'>,
  { client_id, secret }: RefreshToken,
): Imported | undefined {
  const { account, accounts, history } = found;
  if (history?.shared !== true || history.ownClients.includes(client_id)) return undefined;
  const issuer = issuerFor(found, client_id);
  const isCloud = isCloudHost(account.environment);
  if (issuer === undefined && !isCloud) return undefined;
  const { source } = history;
  return {
    account,
    source,
    issuer: isCloud ? '' : (issuer ?? ''),
    agree: (cache) => {
      for (const { id } of accounts) {
        const { refreshTokens = [] } = cachedAccounts(cache).byId.get(id) ?? {};
        const known = historyOf(cache, id);
        const isLeft = refreshTokens.some((one) => one.client_id === client_id && one.secret === secret);
        if (!isLeft || !known.shared || known.source !== source) continue;
        changeHistory(cache, id, {
          ...withOwnClient(known, refreshTokens, client_id),
          ...(isCloud || issuer === undefined ? {} : { issuers: { ...known.issuers, [client_id]: issuer } }),
        });
      }
    },
  };
}

/** The history of an account, a client of which uses no imported refresh token any more. One that was refused is not sent again. */
function withOwnClient(
  known: AccountHistory,
  refreshTokens: readonly RefreshToken[],
  client_id: string,
): Pick<AccountHistory, 'shared' | 'ownClients'> {
  const ownClients = [...new Set([...known.ownClients, client_id])];
  const isImported = (one: RefreshToken): boolean =>
    !ownClients.includes(one.client_id) && !isRefusedForGood(one);
  const shared = refreshTokens.some(isImported);
  return { shared, ownClients: shared ? ownClients : [] };
}

/** Records that a client's refresh token was obtained here, with that of another app of its family: nobody has to be asked about it. */
async function keepAsOwn(
  vault: Vault,
  accounts: readonly CachedAccount[],
  client_id: string,
  obtained: unknown,
): Promise<void> {
  await vault.update((cache) => {
    for (const { id } of accounts) {
      const { refreshTokens = [] } = cachedAccounts(cache).byId.get(id) ?? {};
      const known = historyOf(cache, id);
      const its = refreshTokens.filter((one) => one.client_id === client_id);
      if (!known.shared || its.length === 0 || its.some(({ secret }) => secret !== obtained)) continue;
      changeHistory(cache, id, withOwnClient(known, refreshTokens, client_id));
    }
  });
}

/** The issuer that an app's refresh token of this account is sent to; undefined if the vault does not tell. */
function issuerFor(
  {
    account: { issuer, tenants },
    accounts: [cached],
    history,
  }: Pick<Asked, 'account' | 'accounts' | 'history'>,
  client_id: string,
): string | undefined {
  if (issuer !== undefined || cached === undefined || history === undefined) return issuer;
  return issuerOfToken(cached, history, { client_id, realm: tenants[0]?.realm })?.issuer;
}

/** @returns undefined if the grant was not imported, whatever else of the account was, or its refresh token can't be sent anywhere */
function importOfGrant({
  account,
  accounts,
  history,
  grant,
}: Pick<Asked, 'account' | 'accounts' | 'history'> & { readonly grant: GrantItem }): Imported | undefined {
  if (history === undefined || !isSharedGrant(history, grant)) return undefined;
  const issuer = issuerOfGrant(grant);
  if (issuer === undefined) return undefined;
  return {
    account,
    source: history.source,
    issuer,
    agree: (cache) => {
      for (const { id } of accounts) changeHistory(cache, id, withOwnGrant(historyOf(cache, id), grant));
    },
  };
}

interface Asked {
  readonly account: AccountSummary;
  readonly accounts: readonly CachedAccount[];
  readonly history: AccountHistory | undefined;
  readonly client_id: string;
  readonly scopes: readonly string[];
}

/** Asks once whether an imported refresh token may be used; after a yes, it counts as this user's own, as in the app. */
async function agreeToRefresh(
  vault: Vault,
  world: World,
  { account, source, issuer, agree }: Imported,
): Promise<void> {
  const goesTo =
    issuer === ''
      ? `Its refresh token goes to ${account.environment}.`
      : `The imported document names ${issuerOrStop(issuer)} as its provider, and its refresh token goes there.`;
  const says = `${sharedText(account.username || account.home_account_id, source)} ${goesTo}`;
  if (!world.isInteractive)
    throw new Stop(
      EXIT.signInRequired,
      printable(
        `${says} There is no terminal to ask in, so nothing was sent. Run this once in a terminal, or refresh the account in the app.`,
      ),
    );
  await assertAgreed(world, printable(`${says}\nRefresh it? [y/N] `), NOTHING_SENT);
  if (issuer !== '') allowedBeside(vault).allow(issuerOrStop(issuer), []); // the app then does not ask again
  await vault.update(agree);
}

async function msalTokenFor(
  vault: Vault,
  given: Given,
  world: World,
  { account, accounts, history, client_id, scopes }: Asked,
): Promise<Found> {
  const realm = given.value('tenant') ?? account.tenants[0]?.realm;
  const { issuer } = account;
  const { held, done } = untilKept(world);
  const redeem = redeemAt(held, issuerFor({ account, accounts, history }, client_id), allowedBeside(vault));
  let refreshes = 0;
  let refused: Refusal | undefined;
  let obtained: unknown;
  const token = await acquireTokenSilent(
    vault,
    {
      client_id,
      home_account_id: account.home_account_id,
      environment: account.environment,
      scopes,
      ...(issuer === undefined ? {} : { issuer }),
      ...(realm === undefined || realm === '' ? {} : { realm }),
      ...(given.has('refresh') ? { forceRefresh: true } : {}),
    },
    async (...asked) => {
      // Of a family of apps, the refresh token may be another app's, which was imported.
      const imported = importOf({ account, accounts, history }, asked[0]);
      if (imported !== undefined) throw new Unasked(imported);
      try {
        const answer = await redeem(...asked);
        refreshes += 1;
        if (asked[0].client_id !== client_id) obtained = answer.response['refresh_token'];
        return answer;
      } catch (error) {
        if (error instanceof SignInRequiredError && isRecord(error.cause) && isTokenRefused(error.cause))
          refused = refusalAt(errorCodeOf(error.cause) ?? null, world.now());
        throw error;
      }
    },
    () => world.now(),
  )
    .finally(done)
    .catch(async (error: unknown) => {
      if (refused !== undefined) await noteRefusal(vault, accounts, client_id, account, refused);
      throw refreshes > 0 ? notKept(error) : error;
    });
  const expiry = expiryOf(token);
  const found: Found = {
    accounts,
    client_id,
    secret: token.secret,
    target: token.target,
    token_type: authorizationScheme(token.token_type),
    expiresOn: Number.isFinite(expiry) ? expiry : null,
  };
  if (refreshes > 0) await noteRefresh(vault, world, found);
  if (obtained !== undefined && history?.shared === true)
    await keepAsOwn(vault, accounts, client_id, obtained).catch(() => undefined); // then it is asked for
  return found;
}

function refusalAt(code: string | null, now: number): Refusal {
  return { reason: refusalReason(code), at: Math.floor(now), code };
}

/** Records the refusal of a refresh token, so that the app and the command say who refused it and why. */
async function noteRefusal(
  vault: Vault,
  accounts: readonly CachedAccount[],
  client_id: string,
  { issuer, environment }: AccountSummary,
  refusal: Refusal,
): Promise<void> {
  const provider = URL.canParse(issuer ?? '') ? new URL(issuer ?? '').host : environment;
  try {
    await vault.update((cache) => {
      for (const { id } of accounts) recordRefusal(cache, id, { ...refusal, client_id, provider });
    });
  } catch {
    // The error of the refresh is more useful, and the status shows that the vault can't be written.
  }
}

async function noteRefresh(
  vault: Vault,
  world: World,
  { accounts, client_id, target, expiresOn }: Pick<Found, 'accounts' | 'client_id' | 'target' | 'expiresOn'>,
): Promise<void> {
  const [client_ids, apis] = [[client_id], [target]];
  await note(vault, world, accounts, {
    kind: 'refresh',
    client_ids,
    apis,
    tokens: 1,
    until: expiresOn,
    automatic: false,
  });
}

function clientsWith(tokens: readonly AccessToken[], scopes: readonly string[]): string[] {
  const has = (target: string): boolean => {
    const held = new Set(target.toLowerCase().split(/\s+/));
    return scopes.every((scope) => held.has(scope.toLowerCase()));
  };
  return [...new Set(tokens.filter(({ target }) => has(target)).map(({ client_id }) => client_id))];
}

/** Git's credential protocol (gitcredentials(7)): attributes in, attributes out. `store` and `erase` have nothing to do. */
export async function credential(given: Given, world: World): Promise<number> {
  const [action] = given.operands;
  if (action !== 'get' && action !== 'store' && action !== 'erase')
    throw new Stop(
      EXIT.usage,
      'tokenkeep credential takes get, store or erase, which git appends. See: tokenkeep credential --help',
    );
  if (action === 'get') assertNoTerminal(world);
  const asked = await world.input();
  if (action !== 'get') return EXIT.ok;
  const attributes = asked.split('\n').map((line) => line.split(/=(.*)/s));
  const protocol = attributes.find(([name]) => name === 'protocol')?.[1];
  if (protocol !== 'https')
    throw new Stop(
      EXIT.failed,
      `Tokens are sent over https only, and git asked for ${protocol ?? 'no protocol'}. Nothing was printed.`,
    );
  const takesBearer = attributes.some(([name, value]) => name === 'capability[]' && value === 'authtype');
  const token = await withVault(given, world, (vault) => tokenFor(vault, given, world));
  const { secret, expiresOn } = token;
  world.out.write(
    takesBearer
      ? `capability[]=authtype\nauthtype=Bearer\ncredential=${secret}\nephemeral=1\n`
      : `username=oauth2\npassword=${secret}\n`,
  );
  // git does not use it afterwards, wherever another helper has kept it.
  if (expiresOn !== null) world.out.write(`password_expiry_utc=${Math.floor(expiresOn)}\n`);
  return EXIT.ok;
}

/** Claims that are times (RFC 7519 §4.1, OpenID Connect Core §2). */
const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time', 'xms_tcdt']);

export async function decode(given: Given, world: World): Promise<number> {
  const [word = '-'] = given.operands;
  const tokens = tokensIn(word === '-' ? await world.input() : word);
  if (tokens.length === 0)
    throw new Stop(
      EXIT.failed,
      'The input holds no token. Give a token, an Authorization header or a token response.',
    );
  const decoded = tokens.map(({ name, token }) => ({ name, token, read: readToken(token) }));
  const now = world.now();
  if (given.has('json')) {
    const texts = decoded.map(({ name, token, read }) => {
      const format = read?.format ?? 'opaque';
      const { header, payload } = read === undefined ? {} : partsOf(token, read);
      return objectText({ name: JSON.stringify(name), format: JSON.stringify(format), header, payload });
    });
    world.out.write(jsonText(`[${texts.join(',')}]`));
    return EXIT.ok;
  }
  for (const { name, token, read } of decoded) {
    if (decoded.length > 1) world.out.write(`${name}\n`);
    if (read === undefined) world.out.write('An opaque token: only its issuer and the API can read it.\n');
    else if (read.format === 'jwe')
      world.out.write(
        `${jsonText(objectText(partsOf(token, read)))}Encrypted: only its recipient can read the claims.\n`,
      );
    else {
      const { header, payload } = partsOf(token, read);
      world.out.write(jsonText(objectText({ header, claims: payload })));
      for (const [claim, value] of Object.entries(read.payload))
        if (TIMES.has(claim) && typeof value === 'number' && Math.abs(value) < 8.64e12)
          world.out.write(`${claim}: ${new Date(value * 1000).toISOString()}, ${relative(value, now)}\n`);
    }
  }
  world.out.write('The signature was not checked.\n');
  return EXIT.ok;
}

/** The JSON of a token as its issuer wrote it: parsed, large numbers would lose digits. */
function partsOf(token: string, read: ReadToken): { header: string; payload?: string } {
  const [header, payload] = token.split('.', 2).map((part) => decodeBase64url(part));
  const isRead = Object.keys(read.header).length > 0;
  return {
    header: (isRead && header) || '{}',
    ...(read.format === 'jwt' ? { payload: payload ?? '{}' } : {}),
  };
}

function objectText(members: Readonly<Record<string, string | undefined>>): string {
  const texts = Object.entries(members).flatMap(([name, text]) =>
    text === undefined ? [] : [`${JSON.stringify(name)}:${text}`],
  );
  return `{${texts.join(',')}}`;
}

/** Finds a bare token, the token of an Authorization header, or all tokens of a token response. */
function tokensIn(given: string): { name: string; token: string }[] {
  const text = given.trim();
  if (text.startsWith('{')) {
    try {
      const json: unknown = JSON.parse(text);
      if (!isRecord(json)) return [];
      return ['access_token', 'id_token', 'refresh_token'].flatMap((name) => {
        const token = json[name];
        return typeof token === 'string' && token !== '' ? [{ name, token }] : [];
      });
    } catch {
      return [];
    }
  }
  const token = text
    .replace(/^(?:-H\s+)?['"]?(?:authorization:\s*)?(?:bearer\s+)?/i, '')
    .replace(/['"]$/, '');
  return token === '' ? [] : [{ name: 'token', token }];
}

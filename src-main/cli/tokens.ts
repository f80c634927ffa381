/** `get`, `credential` and `decode`: the verbs that print a token or its claims. */
import { acquireTokenSilent } from '../cache/acquire.ts';
import { isRecord } from '../cache/json.ts';
import type { AccessToken } from '../cache/schema/entities.ts';
import { readToken } from '../cache/schema/claims.ts';
import { expiryOf } from '../cache/schema/expiry.ts';
import type { Vault } from '../vault/api.ts';
import type { Given } from './arguments.ts';
import { peopleIn, personNamed, VAULT } from './people.ts';
import { redeemAt } from './refresh.ts';
import { relative } from './text.ts';
import { assertReadable, withVault } from './vault.ts';
import { EXIT, Stop, type World } from './world.ts';

export async function get(given: Given, world: World): Promise<number> {
  // Fail before anything is opened or refreshed.
  if (world.out.isTerminal && !given.has('reveal'))
    throw new Stop(
      EXIT.notPrinted,
      'Not printed: standard output is a terminal, and its scrollback would keep the token.\nPipe the output to a program, or add --reveal.',
    );
  const token = await withVault(given, world, (vault) => tokenFor(vault, given, world));
  if (given.has('json')) {
    const { secret, target } = token;
    const expiry = expiryOf(token);
    world.out.write(
      `${JSON.stringify({ access_token: secret, scope: target, expires_on: Number.isFinite(expiry) ? expiry : null, token_type: token.token_type ?? 'Bearer' })}\n`,
    );
  } else
    world.out.write(given.has('header') ? `Authorization: Bearer ${token.secret}\n` : `${token.secret}\n`);
  return EXIT.ok;
}

async function tokenFor(vault: Vault, given: Given, world: World): Promise<AccessToken> {
  assertReadable(vault);
  const name = given.value('account');
  const scopes = given.values('scope').flatMap((scope) => scope.split(/\s+/).filter((one) => one !== ''));
  if (name === undefined || scopes.length === 0)
    throw new Stop(EXIT.usage, 'Name the account and what the token is for: --account ACCOUNT --scope SCOPE');
  const found = await vault.read((cache) => {
    const people = peopleIn([{ name: VAULT, cache, accounts: cache.accounts() }], world.now());
    const { account, tokens } = personNamed(people, name);
    const clients = [...new Set(tokens.map(({ client_id }) => client_id))];
    return { account, clients, fitting: clientsWith(tokens, scopes) };
  });
  const { account, clients, fitting } = found;
  const client_id =
    given.value('client') ??
    (fitting.length === 1 ? fitting[0] : clients.length === 1 ? clients[0] : undefined);
  if (client_id === undefined)
    throw new Stop(
      EXIT.usage,
      clients.length === 0
        ? `${name} has no token here. Sign in first.`
        : `Several apps could get this token. Name one: ${clients.map((id) => `--client ${id}`).join(' or ')}`,
    );
  const realm = given.value('tenant') ?? account.tenants[0]?.realm;
  const { issuer } = account;
  return acquireTokenSilent(
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
    redeemAt(world, issuer),
    () => world.now(),
  );
}

function clientsWith(
  tokens: readonly { type: string; client_id: string; target: string }[],
  scopes: readonly string[],
): string[] {
  const has = (target: string): boolean => {
    const held = new Set(target.toLowerCase().split(/\s+/));
    return scopes.every((scope) => held.has(scope.toLowerCase()));
  };
  return [
    ...new Set(
      tokens.flatMap(({ type, client_id, target }) => (type === 'access' && has(target) ? [client_id] : [])),
    ),
  ];
}

/** Git's credential protocol (gitcredentials(7)): attributes in, attributes out. `store` and `erase` have nothing to do. */
export async function credential(given: Given, world: World): Promise<number> {
  const [action] = given.operands;
  if (action !== 'get' && action !== 'store' && action !== 'erase')
    throw new Stop(EXIT.usage, 'git asks for get, store or erase.');
  const asked = await world.input();
  if (action !== 'get') return EXIT.ok;
  const attributes = asked.split('\n').map((line) => line.split(/=(.*)/s));
  const protocol = attributes.find(([name]) => name === 'protocol')?.[1];
  if (protocol !== 'https')
    throw new Stop(
      EXIT.failed,
      `A token is sent over https only, not over ${protocol ?? 'an unknown protocol'}.`,
    );
  const takesBearer = attributes.some(([name, value]) => name === 'capability[]' && value === 'authtype');
  const token = await withVault(given, world, (vault) => tokenFor(vault, given, world));
  world.out.write(
    takesBearer
      ? `capability[]=authtype\nauthtype=Bearer\ncredential=${token.secret}\nephemeral=1\n`
      : `username=oauth2\npassword=${token.secret}\n`,
  );
  return EXIT.ok;
}

/** Claims that are times (RFC 7519 §4.1, OpenID Connect Core §2). */
const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time', 'xms_tcdt']);

export async function decode(given: Given, world: World): Promise<number> {
  const [word = '-'] = given.operands;
  const tokens = tokensIn(word === '-' ? await world.input() : word);
  if (tokens.length === 0) throw new Stop(EXIT.failed, 'There is no token in what was given.');
  const decoded = tokens.map(({ name, token }) => ({ name, read: readToken(token) }));
  const now = world.now();
  if (given.has('json')) {
    world.out.write(
      `${JSON.stringify(
        decoded.map(({ name, read }) => ({ name, ...(read ?? { format: 'opaque' }) })),
        null,
        2,
      )}\n`,
    );
    return EXIT.ok;
  }
  for (const { name, read } of decoded) {
    if (decoded.length > 1) world.out.write(`${name}\n`);
    if (read === undefined) world.out.write('An opaque token: only its issuer can tell what it says.\n');
    else if (read.format === 'jwe')
      world.out.write(
        `${JSON.stringify({ header: read.header }, null, 2)}\nEncrypted: only the API can read the claims.\n`,
      );
    else {
      world.out.write(`${JSON.stringify({ header: read.header, claims: read.payload }, null, 2)}\n`);
      for (const [claim, value] of Object.entries(read.payload))
        if (TIMES.has(claim) && typeof value === 'number' && Math.abs(value) < 8.64e12)
          world.out.write(`${claim}: ${new Date(value * 1000).toISOString()}, ${relative(value, now)}\n`);
    }
  }
  world.out.write('The signature was not checked.\n');
  return EXIT.ok;
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

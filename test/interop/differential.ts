/**
 * Tokenkeep beside the real libraries, on generated input: each difference is either of a kind that docs/differences.md explains, or a
 * failure. Seeded: a number gives the same input everywhere.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  ENTITY_TYPES,
  type Entity,
  type EntityType,
  lookup,
  SerializableTokenCache,
  type TokenResponseEvent,
} from '../../src-main/cache/index.ts';
import { sameEnvironment } from '../../src-main/cache/schema/authorities.ts';
import { sameScopes } from '../../src-main/cache/schema/match.ts';
import { ANY_TENANT, homeTenantOf } from '../../src-main/cache/schema/tenant-profiles.ts';
import { APPS, adfs, b2c, entra, generic, homeAccountId, PEOPLE, PROVIDERS } from '../vectors/make/stage.mjs';
import { type Judge, MSAL_PYTHON, type Trial, type Verdict, verdicts } from './judges.ts';

/** A difference that docs/differences.md explains, by its heading there. */
export const EXPLAINED = [
  'Unknown lifetimes',
  'A lifetime in the token',
  'User names',
  'Grants without a user',
  'Additional fields',
  'Names of a cloud',
  'Order of scopes',
  'Grants that name no scopes',
  'Refused responses',
  'Empty tokens',
  'Expiry margin',
  'Names of a tenant',
  'Which of several tokens',
] as const;

export type Explained = (typeof EXPLAINED)[number];

export interface Outcome {
  compared: number;
  /** How often each explained difference occurred. */
  explained: Map<Explained, number>;
  /** Differences that nothing explains, with the seed that gives the input again. */
  failures: string[];
}

const outcome = (): Outcome => ({ compared: 0, explained: new Map(), failures: [] });

function note({ explained }: Outcome, kind: Explained): void {
  explained.set(kind, (explained.get(kind) ?? 0) + 1);
}

/** mulberry32: small, and the same everywhere. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)]!;
  }

  some<T>(values: readonly T[]): T[] {
    return values.filter(() => this.chance(0.5));
  }

  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }
}

const NOW = 1_700_000_000;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: object): string => `${part({ alg: 'none' })}.${part(claims)}.s`;

const ENDPOINTS = [
  'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token',
  'https://login.microsoftonline.com/common/oauth2/v2.0/token',
  'https://login.windows.net/contoso.example/oauth2/v2.0/token',
  'https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token',
  'https://fs.contoso.example/adfs/oauth2/token',
  'https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_susi/oauth2/v2.0/token',
  'https://contoso.ciamlogin.com/contoso.onmicrosoft.com/oauth2/v2.0/token',
  'https://id.example.org/realms/staff/protocol/openid-connect/token',
  'https://id.example.org/token',
] as const;

/** A token response, and the request behind it, as MSAL Python's own application would report it. */
export function generatedEvent(dice: Dice): TokenResponseEvent {
  const endpoint = dice.pick(ENDPOINTS);
  const isMicrosoft = /microsoft|windows\.net|b2clogin|ciamlogin/.test(endpoint);
  const subject = dice.pick(['ada', 'BEN', 'c-3']);
  const asked = dice.some(['s1', 's2', 'api://orders/read', 'openid']);
  const granted = dice.chance(0.3) ? undefined : dice.some(['s1', 's2', 's3']).join(' ');
  const names = dice.pick([
    { preferred_username: 'ada@example.org' },
    { upn: 'ada@example.org' },
    { email: 'ada@example.org' },
    {},
  ]);
  const claims = {
    iss: endpoint.replace(/\/(oauth2|protocol|token).*$/, ''),
    aud: 'app',
    sub: subject,
    iat: NOW - 10,
    exp: 9_000_000_000,
    ...names,
    ...(isMicrosoft ? { oid: `oid-${subject}`, tid: 'utid' } : {}),
  };
  const hasUser = dice.chance(0.85);
  const lifetime = dice.pick([
    { expires_in: 3600 },
    { expires_in: '1200' },
    { expires_in: 299 },
    {},
    { expires_on: NOW + 900 },
  ]);
  const isBound = dice.chance(0.15);
  const response = {
    access_token: dice.pick(['opaque token', token({ sub: subject, exp: NOW + 700 })]),
    ...(isBound || dice.chance(0.8)
      ? { token_type: isBound ? 'ssh-cert' : dice.pick(['Bearer', 'bearer']) }
      : {}),
    ...lifetime,
    ...(dice.chance(0.3) ? { ext_expires_in: 7200 } : {}),
    ...(dice.chance(0.3) ? { refresh_in: 1800 } : {}),
    ...(granted === undefined ? {} : { scope: granted }),
    ...(dice.chance(0.7) ? { refresh_token: dice.pick(['refresh token', 'refresh token', '']) } : {}),
    ...(hasUser ? { id_token: token(claims) } : {}),
    ...(hasUser && isMicrosoft ? { client_info: part({ uid: subject, utid: 'utid' }) } : {}),
    ...(dice.chance(0.2) ? { foci: '1' } : {}),
  };
  return {
    client_id: 'app',
    scope: granted === undefined || granted === '' ? asked : granted.split(' '),
    token_endpoint: endpoint,
    environment: new URL(endpoint).hostname,
    grant_type: hasUser ? 'authorization_code' : dice.pick(['client_credentials', 'authorization_code']),
    response,
    ...(isBound ? { data: { key_id: 'key 1', token_type: 'ssh-cert' } } : {}),
  };
}

/** Fields that Tokenkeep writes beside MSAL's, which MSAL libraries ignore. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'issuer',
  'requested_scopes',
  'unknown_expiry',
  'account_source',
]);

type Document = Partial<Record<EntityType, Record<string, Entity>>>;

/** MSAL Python's documents for the same events. */
function ofPython(events: readonly TokenResponseEvent[]): { document?: Document; error?: string }[] {
  const program = fileURLToPath(new URL('differential_python.py', import.meta.url));
  const input = JSON.stringify(events.map((event) => ({ event, now: NOW })));
  const { status, stdout, stderr } = spawnSync(MSAL_PYTHON.command[0], [program], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`MSAL Python failed: ${stderr}`);
  return JSON.parse(stdout) as { document?: Document; error?: string }[];
}

/** Takes in generated responses with Tokenkeep and with MSAL Python, and compares the documents field by field. */
export function compareResponses(seed: number, count: number): Outcome {
  const events = Array.from({ length: count }, (_, index) => generatedEvent(new Dice(seed + index)));
  const theirs = ofPython(events);
  const result = outcome();
  for (const [index, event] of events.entries()) {
    result.compared += 1;
    const cache = new SerializableTokenCache({ now: () => NOW });
    let ours: Document = {};
    let refused = false;
    try {
      cache.add(structuredClone(event));
      ours = JSON.parse(cache.serialize({ dialect: 'msal-python' })) as Document;
    } catch {
      refused = true;
    }
    const { document, error } = theirs[index]!;
    if (error !== undefined || refused) {
      if (error !== undefined) note(result, 'Refused responses');
      else result.failures.push(`seed ${seed + index}: only Tokenkeep refuses it`);
      continue;
    }
    for (const difference of differences(event, ours, document ?? {})) {
      if (EXPLAINED.some((kind) => kind === difference)) note(result, difference as Explained);
      else result.failures.push(`seed ${seed + index}: ${difference}`);
    }
  }
  return result;
}

/** One response gives at most one entity of each type. */
function differences(event: TokenResponseEvent, ours: Document, theirs: Document): Set<string> {
  const found = new Set<string>();
  for (const type of ENTITY_TYPES) {
    const [own, ...more] = Object.values(ours[type] ?? {});
    const [other] = Object.values(theirs[type] ?? {});
    if (more.length > 0) found.add(`${type}: Tokenkeep makes ${more.length + 1}`);
    if (own === undefined && other === undefined) continue;
    if (own === undefined || other === undefined) found.add(missing(event, type, own, other));
    else
      for (const field of fieldsThatDiffer(own, other))
        found.add(fieldDifference(event, type, field, own, other));
  }
  return found;
}

function fieldsThatDiffer(a: Entity, b: Entity): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

const hasUser = ({ response }: TokenResponseEvent): boolean => response['id_token'] !== undefined;

function missing(event: TokenResponseEvent, type: EntityType, own?: Entity, other?: Entity): string {
  // Without an ID token MSAL Python has no account, and drops the refresh token.
  if (!hasUser(event) && event.response['client_info'] === undefined) return 'Grants without a user';
  if (own === undefined && other?.['secret'] === '') return 'Empty tokens';
  return `${type}: only ${own === undefined ? 'MSAL Python' : 'Tokenkeep'} has one`;
}

function fieldDifference(
  event: TokenResponseEvent,
  type: EntityType,
  field: string,
  own: Entity,
  other: Entity,
): string {
  const { response } = event;
  const isTold = response['expires_in'] !== undefined || response['expires_on'] !== undefined;
  if (OWN_FIELDS.has(field) && other[field] === undefined) return 'Additional fields';
  if (type === 'Account' && field === 'username' && other[field] === '') return 'User names';
  if (type === 'AccessToken' && /expires_on$/.test(field) && !isTold)
    return own['unknown_expiry'] === undefined ? 'A lifetime in the token' : 'Unknown lifetimes';
  const [mine, its] = [String(own[field]), String(other[field])];
  if (field === 'environment' && sameEnvironment(mine, its)) return 'Names of a cloud';
  if (field === 'target' && response['scope'] === '') return 'Grants that name no scopes';
  if (field === 'target' && sameScopes(mine, its)) return 'Order of scopes';
  if (!hasUser(event)) return 'Grants without a user';
  return `${type}.${field}: Tokenkeep ${JSON.stringify(own[field])}, MSAL Python ${JSON.stringify(other[field])}`;
}

/** A user's sign-ins and refreshes over an hour, and the request at the end. */
interface Story {
  cache: SerializableTokenCache;
  trial: Omit<Trial, 'document'>;
}

const PLACES = ['contoso', 'fabrikam', 'organizations', 'common'] as const;
const PEOPLE_AT_ENTRA = [PEOPLE.avery, PEOPLE.zoe, PEOPLE.kenji];
const SCOPES = ['https://graph.microsoft.com/User.Read', 'https://graph.microsoft.com/Mail.Read'];

/** One sign-in or refresh: who answers what, and what an app at that provider would ask for afterwards. */
interface Step {
  readonly provider: string;
  readonly app: Trial['app'];
  readonly scopes: readonly string[];
  readonly environment?: string;
  readonly respond: (at: number) => Trial['response'];
}

function entraStep(dice: Dice): Step {
  const [person, app] = [dice.pick(PEOPLE_AT_ENTRA), dice.pick([APPS.desk, APPS.mail])];
  const scope = dice.pick([SCOPES.slice(0, 1), SCOPES.slice(1), SCOPES]).join(' ');
  const options = {
    scope: `${scope} openid profile`,
    seconds: dice.pick([3600, 4527, 1500, 600]),
    ...(dice.chance(0.15) ? { foci: '1' } : {}),
  };
  return {
    provider: dice.pick(PLACES),
    app,
    scopes: scope.split(' '),
    environment: dice.pick(['login.microsoftonline.com', 'login.windows.net']),
    respond: (at) => entra(person, app, at, options),
  };
}

/** Providers that are no tenant of Entra ID: two policies of a B2C tenant, AD FS, and any other OpenID Connect provider. */
function otherStep(dice: Dice): Step {
  const [person, app] = [dice.pick([PEOPLE.dana, PEOPLE.lee, PEOPLE.sam]), dice.pick([APPS.desk, APPS.shop])];
  return dice.pick<Step>([
    {
      provider: 'b2cSignIn',
      app,
      scopes: ['https://fabrikam.example/orders/Orders.Read'],
      respond: (at) => b2c(person, app, at, 'B2C_1A_SIGNUP_SIGNIN'),
    },
    {
      provider: 'b2cProfile',
      app,
      scopes: ['https://fabrikam.example/orders/Orders.Read'],
      respond: (at) => b2c(person, app, at, 'B2C_1A_PROFILE_EDIT'),
    },
    {
      provider: 'adfs',
      app,
      scopes: ['https://orders.contoso.example/Orders.Read'],
      respond: (at) => adfs(person, app, at),
    },
    { provider: 'generic', app, scopes: ['orders.read'], respond: (at) => generic(person, app, at) },
  ]);
}

function generatedStory(dice: Dice, at: number): Story {
  let now = at - 3600;
  const cache = new SerializableTokenCache({ now: () => now });
  const known: { step: Step; home_account_id: string }[] = [];
  const isEntra = dice.chance(0.6);
  for (let left = dice.whole(1, 6); left > 0; left -= 1) {
    now += dice.whole(1, 600);
    const step = isEntra || dice.chance(0.2) ? entraStep(dice) : otherStep(dice);
    const { account } = cache.add({
      client_id: step.app.client_id,
      scope: step.scopes.join(' '),
      token_endpoint: PROVIDERS[step.provider]!.openid.token_endpoint,
      ...(step.environment === undefined ? {} : { environment: step.environment }),
      response: { ...step.respond(now) },
    });
    known.push({ step, home_account_id: account?.home_account_id ?? '' });
    if (dice.chance(0.08)) cache.signOut(dice.pick(known).home_account_id);
  }
  now = at;
  if (isEntra) {
    const [person, app, provider] = [
      dice.pick(PEOPLE_AT_ENTRA),
      dice.pick([APPS.desk, APPS.mail]),
      dice.pick(PLACES),
    ];
    const response = entra(person, app, at + 1, {});
    const home_account_id = homeAccountId(person);
    return { cache, trial: { app, provider, scopes: [dice.pick(SCOPES)], home_account_id, at, response } };
  }
  const { step, home_account_id } = dice.pick(known);
  const { app, provider, scopes } = step;
  const response = step.respond(at + 1);
  return { cache, trial: { app, provider, scopes: [dice.pick(scopes)], home_account_id, at, response } };
}

/** Has a library use documents of generated stories, and compares what it gives with what Tokenkeep gives. */
export function compareUse(judge: Judge, seed: number, count: number): Outcome {
  const stories = Array.from({ length: count }, (_, index) => generatedStory(new Dice(seed + index), NOW));
  const result = outcome();
  const heard = verdicts(
    judge,
    stories.map(({ cache, trial }) => ({ ...trial, document: cache.serialize({ dialect: judge.dialect }) })),
  );
  for (const [index, verdict] of heard.entries()) {
    result.compared += 1;
    const difference = useDifference(stories[index]!, verdict, judge);
    if (difference === undefined) continue;
    if (EXPLAINED.some((kind) => kind === difference)) note(result, difference as Explained);
    else result.failures.push(`${judge.name}, seed ${seed + index}: ${difference}`);
  }
  return result;
}

function useDifference({ cache, trial }: Story, verdict: Verdict, judge: Judge): string | undefined {
  const { app, scopes, provider, at } = trial;
  const home_account_id = trial.home_account_id ?? '';
  const isPython = judge.dialect === 'msal-python';
  const { hostname, pathname } = new URL(PROVIDERS[provider]!.authority);
  // MSAL Python lists the accounts of its authority's cloud or host, MSAL Node all.
  const accounts = cache
    .accounts(isPython ? { environment: hostname } : {})
    .map((account) => account.home_account_id);
  const listed = [...new Set(verdict.accounts)];
  if (String(accounts.sort()) !== String(listed.sort()))
    return `lists ${listed.length} accounts of ${accounts.length}`;
  if (!accounts.includes(home_account_id)) return undefined; // Nothing is asked for.
  const asked = pathname.split('/')[1] ?? '';
  const query = { client_id: app.client_id, home_account_id, environment: hostname };
  // Tokenkeep is asked for the tenant of the authority, or the user's own where that names none.
  const realm = ANY_TENANT.has(asked) ? homeTenantOf(home_account_id) : asked;
  const isMicrosoft = homeTenantOf(home_account_id) !== undefined;
  const request = { ...query, scopes, ...(isMicrosoft && realm !== undefined ? { realm } : {}) };
  const found = lookup(cache, request, at);
  const given = verdict.asked === 0 ? verdict.cached : null;
  const own = found.accessToken?.secret ?? null;
  if (given !== own) {
    const tokens = cache.find('AccessToken', { target: scopes, query });
    const left = (secret: string | null): number =>
      Number(tokens.find((one) => one.secret === secret)?.expires_on) - at;
    if (given === null ? left(own) <= 300 : own === null && left(given) <= 300) return 'Expiry margin';
    // MSAL Python looks under the tenant that the app was configured with, MSAL Node under the listed account's.
    const theirs = (isPython ? asked : verdict.tenant) ?? '';
    // A document for MSAL Node holds the user's own tenant in place of `common` and `organizations`.
    const tenantOf = (secret: string | null): string => {
      const { realm: tenant } = tokens.find((one) => one.secret === secret) ?? {};
      return (!isPython && ANY_TENANT.has(tenant ?? '') ? homeTenantOf(home_account_id) : tenant) ?? '';
    };
    const there = tokens.filter(({ secret }) => tenantOf(secret) === theirs && left(secret) > 300);
    const isTheirs = given === null ? there.length === 0 : there.some(({ secret }) => secret === given);
    if (isTheirs && tenantOf(own) !== theirs) return 'Names of a tenant';
    // MSAL Node drops all that match if there are several, and redeems the refresh token.
    if (!isPython && given === null && tokens.length > 1) return 'Which of several tokens';
    if (given !== null && own !== null && left(given) > 300) return 'Which of several tokens';
    return `gives ${given === null ? 'no token' : 'a token'}, and Tokenkeep ${own === null ? 'none' : 'one'} (${provider}, ${theirs}): ${verdict.error ?? ''}`;
  }
  const first = found.refreshTokens[0]?.secret ?? null;
  // A request before has redeemed the first one.
  if (verdict.asked !== 0 || verdict.redeemed === first) return undefined;
  if (found.refreshTokens.some(({ secret }) => secret === verdict.redeemed)) return 'Which of several tokens';
  return `redeems ${verdict.redeemed === null ? 'nothing' : 'another refresh token'}; ${verdict.error ?? ''}`;
}

/** A sentence for each kind of difference, for a report. */
export function reportOf({ compared, explained, failures }: Outcome): string {
  const kinds = [...explained].map(([kind, times]) => `${kind}: ${times}`).join(', ');
  return `${compared} compared, ${failures.length} unexplained${kinds === '' ? '' : ` (${kinds})`}`;
}

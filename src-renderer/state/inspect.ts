import type { SignatureResult } from '../../app/contract.ts';
import type { Claim } from '../../src-main/ipc/contract.ts';
import { isSameJsonText, lostNames, MAX_DEPTH, membersIn } from '../../src-main/cache/json.ts';
import { createStore, type Store } from './store.ts';
import { visible } from './text.ts';
import { isMilliseconds, isoTime, isPast, isTime, localTime, ownZone, relative, spanUntil } from './time.ts';
import { appName, resourceName } from './wellKnown.ts';
import { count, listing, number } from './words.ts';

/** Maximum characters of an input that is read. No token is longer, and a field with much more text stops the window for seconds. */
export const LONGEST_INPUT = 250_000;

type Slot = 'first' | 'second';

export interface InspectView {
  first: string;
  second: string;
  /** Index of the chosen token among those of each input. */
  chosen: Readonly<Record<Slot, number>>;
  compares: boolean;
}

export interface Inspect {
  view: Store<InspectView>;
  set: (slot: Slot, text: string) => void;
  /** Takes what was pasted or dropped on the page: as the token, or in a comparison as the one that is missing, else the second. */
  take: (text: string) => void;
  choose: (slot: Slot, index: number) => void;
  compare: (on: boolean) => void;
  swap: () => void;
  /** Forgets both tokens. */
  clear: () => void;
}

const EMPTY: InspectView = { first: '', second: '', chosen: { first: 0, second: 0 }, compares: false };

/** The tokens of the Inspect page: in memory, until another page is shown. */
export function createInspect(): Inspect {
  const view = createStore<InspectView>(EMPTY);
  const choose = (slot: Slot, index: number) =>
    view.set({ ...view.get(), chosen: { ...view.get().chosen, [slot]: index } });
  const set = (slot: Slot, text: string) => {
    // One character more tells that the text is too long.
    view.set({ ...view.get(), [slot]: text.slice(0, LONGEST_INPUT + 1) });
    choose(slot, 0);
  };
  return {
    view,
    set,
    take(text) {
      const { compares, first } = view.get();
      set(compares && first.trim() !== '' ? 'second' : 'first', text);
    },
    choose,
    compare: (compares) => view.set({ ...view.get(), compares }),
    swap() {
      const { first, second, chosen, ...others } = view.get();
      const swapped = { first: chosen.second, second: chosen.first };
      view.set({ ...others, first: second, second: first, chosen: swapped });
    },
    clear: () => view.set(EMPTY),
  };
}

/** A token found in an input. */
export interface FoundToken {
  /** Its name in the input: a field of a response, or `Authorization`; null if the input is the token or a text around it. */
  field: string | null;
  token: string;
}

/** Maximum number of tokens offered from one input. */
const MOST_FOUND = 12;

/** Maximum depth of fields that are read: a HAR file has headers in `log.entries[0].request.headers[0].value`. */
const DEEPEST = 12;

/** Three parts (RFC 7515 §7.1), or five, of which the key may be empty (RFC 7516 §7.1). */
const COMPACT = String.raw`ey[\w-]+(?:\.[\w-]*){2}(?:(?:\.[\w-]+){2})?`;
const WHOLE = new RegExp(`^${COMPACT}$`);
/** A sentence may end after it. */
const WITHIN = new RegExp(String.raw`(?<![\w.-])${COMPACT}(?!\.?[\w-])`, 'g');

/**
 * "Authorization: Bearer eyJ…", also within a curl command, in two lines or in brackets; but not a challenge, `Bearer realm="api"`
 * (RFC 6750 §3). Where only space stands between, the words are told from a token as in HEADER_VALUE.
 */
const HEADER =
  /\bAuthorization["']?(?=\s*[:=,[]|\s+(?:Bearer|DPoP|PoP)\s+(?:\S*\d|\S{16}))[\s:=,[]+["'`]?(?:Bearer|DPoP|PoP)\s+(?!\w+\s*=\s*["\w])([\w~+/.-]+=*)/i;
/**
 * The value of such a header alone: "Bearer eyJ…", also after a colon. These are words too, so nothing may follow in the line, and the token
 * has a digit or 16 characters: "pop music" and "The bearer token was rejected" hold no token.
 */
const HEADER_VALUE = /(?:^|[:="'`])[ \t]*(?:Bearer|DPoP|PoP)\s+((?=\S*\d|\S{16})[\w~+/.-]+=*)["'`]?$/im;

/** A redirect or a body in the form of a query (RFC 6749 §4.2.2, §4.1.3), a cookie, or a variable of a shell. */
const PARAMETER = /(?:^|[?#&\s;"'])((?:access|id|refresh)_token)=["']?([^&#\s;"']+)/gi;

/** Returns the tokens in a token, an `Authorization` header, a token response, a redirect, or a text such as a line of a log. */
export function tokensIn(input: string): FoundToken[] {
  const text = input.trim();
  if (text === '' || input.length > LONGEST_INPUT) return [];
  const json = asJson(text);
  if (typeof json === 'string') return tokensIn(json);
  if (typeof json === 'object' && json !== null) return named(fieldsOf(json));
  const unquoted = text.replaceAll(/^["'`]|["'`]$/g, '').trim();
  const words = unquoted.split(/\s+/);
  if (words.every((word) => WHOLE.test(word))) return named(words.map((token) => ({ field: null, token })));
  // A terminal breaks long lines.
  if (WHOLE.test(words.join(''))) return [{ field: null, token: words.join('') }];
  const parameters = [...text.matchAll(PARAMETER)].map(([, field = '', token = '']) => ({
    field,
    token: unescaped(token),
  }));
  if (parameters.length > 0) return named(parameters);
  const header = (HEADER.exec(text) ?? HEADER_VALUE.exec(text))?.[1];
  if (header !== undefined) return [{ field: 'Authorization', token: withoutFullStop(header) }];
  const body = bodyIn(text);
  const fields = body === null ? [] : fieldsOf(body);
  if (fields.length > 0) return named(fields);
  const within = text.match(WITHIN);
  if (within !== null) return named([...new Set(within)].map((token) => ({ field: null, token })));
  // An opaque token is one word, possibly broken into lines. A sentence isn't a token.
  return /[^\S\r\n]|^[{[<]/.test(unquoted) ? [] : [{ field: null, token: words.join('') }];
}

/** Returns the JSON object within other text, such as the body of a logged response; null if there is none. */
function bodyIn(text: string): Values | null {
  return asObject(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
}

/** Whether the text has a token that can be read, or that a field names. */
export function holdsToken(text: string): boolean {
  return tokensIn(text).some(isCertain);
}

/** Whether what was found is a token, and not any word: it can be read, or a field names it. */
function isCertain({ field, token }: FoundToken): boolean {
  return field !== null || readToken(token).format !== 'opaque';
}

function withoutFullStop(token: string): string {
  const shorter = token.replace(/\.+$/, '');
  return WHOLE.test(shorter) && !WHOLE.test(token) ? shorter : token;
}

/** A cache document, whole or cut off: a JSON object with a section of the schema. */
const DOCUMENT = /^\s*\{[^]*"(?:Account|AccessToken|RefreshToken|IdToken|AppMetadata)"\s*:\s*(?:[^"\s]|$)/;
/** A token response whose fields are spelled as in .NET has a JWT where a document has a section. */
const RESPONSE = /"(?:Access|Refresh|Id)Token"\s*:\s*"eyJ/;

/**
 * Whether the text of a file is a saved token or token response. A damaged cache document has readable tokens too, but is imported, and
 * the import says what is wrong with it.
 */
export function isTokenFile(text: string): boolean {
  const json = asJson(text);
  if (typeof json === 'string') return isTokenFile(json);
  return (!DOCUMENT.test(text) || RESPONSE.test(text)) && holdsToken(text);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Tells tokens apart that have the same name: "access_token", "access_token 2". */
function named(found: readonly FoundToken[]): FoundToken[] {
  const counts = new Map<string | null, number>();
  return found.slice(0, MOST_FOUND).map(({ field, token }) => {
    const nth = (counts.get(field) ?? 0) + 1;
    counts.set(field, nth);
    const name = field ?? (found.length > 1 ? 'Token' : null);
    return { field: name === null || nth === 1 ? name : `${name} ${String(nth)}`, token };
  });
}

/** Names of fields with a token: RFC 6749 §5.1, as libraries spell them (`accessToken`), and `token` as in a Kubernetes credential. */
const TOKEN_FIELD = /^(?:(?:access|id|refresh)_?)?token$/i;

/** Returns the tokens that fields name, and those within other texts: a header, a message of a log. */
function fieldsOf(json: object): FoundToken[] {
  const texts = textsOf(json, DEEPEST);
  const isNamed = ([field]: readonly [string, string]) => TOKEN_FIELD.test(field);
  const names = new Set(texts.filter(isNamed).map(([, text]) => text));
  return texts.flatMap(([field, text]) =>
    isNamed([field, text])
      ? [{ field, token: text }]
      : tokensIn(text)
          .filter((found) => isCertain(found) && !names.has(found.token))
          .map((found) => ({ field: found.field ?? field, token: found.token })),
  );
}

/** Returns each text in JSON with the field that it is in, or whose list it is in. */
function textsOf(value: object, depth: number, list?: string): [string, string][] {
  return Object.entries(value).flatMap(([key, held]: [string, unknown]): [string, string][] => {
    const field = Array.isArray(value) ? (list ?? 'Token') : key;
    if (typeof held === 'string') return held === '' ? [] : [[field, held]];
    return typeof held === 'object' && held !== null && depth > 1 ? textsOf(held, depth - 1, field) : [];
  });
}

/** Returns why an input has no token. For an error response of a provider or an API, the text quotes the error. */
export function whyNone(input: string): string {
  if (input.length > LONGEST_INPUT)
    return `The text has more than ${number(LONGEST_INPUT)} characters, so it is not read. No token is that long.`;
  const text = input.trim();
  const json = bodyIn(text);
  const [error, description] = ['error', 'error_description'].map((name) => {
    const field = json?.[name];
    if (typeof field === 'string') return visible(field);
    // RFC 6750 §3: WWW-Authenticate: Bearer error="invalid_token", error_description="…"
    return asObject(text) === null ? visible(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '') : '';
  });
  if (error !== undefined && error !== '')
    return `This is an error, not a token: ${error}.${description ? ` ${description}` : ''}`;
  if (/^(?:authorization\s*:\s*)?basic\s/i.test(text))
    return 'Basic authentication is a name and a password, not a token.';
  if (asJson(text) !== undefined) return 'There is no token in this JSON.';
  return 'There is no token in this text.';
}

/** The readable parts of a token. */
export type ReadToken =
  | {
      format: 'jwt';
      header: readonly Claim[];
      payload: readonly Claim[];
      /** The claims as JavaScript has them: with large numbers rounded. */
      values: Values;
      headerValues: Values;
    }
  | { format: 'jwe'; header: readonly Claim[]; headerValues: Values }
  /** Signed content other than claims; `inner`: the content if it is a token itself (RFC 7519 §5.2), else null. */
  | { format: 'jws'; header: readonly Claim[]; headerValues: Values; inner: string | null }
  | { format: 'opaque'; length: number }
  | { format: 'broken'; why: string };

type Values = Readonly<Record<string, unknown>>;

/** Reads a token without checking its signature (RFC 7515 §7.1, RFC 7516 §7.1). */
export function readToken(token: string): ReadToken {
  const parts = token.split('.');
  if (parts.length !== 3 && parts.length !== 5) {
    return token.startsWith('eyJ') && parts.length === 2
      ? { format: 'broken', why: 'The token is incomplete: the signature is missing.' }
      : { format: 'opaque', length: token.length };
  }
  const headerText = decoded(parts[0] ?? '');
  const headerValues = headerText === null ? null : asObject(headerText);
  if (headerValues === null) {
    return token.startsWith('ey')
      ? {
          format: 'broken',
          why: 'The header is not base64url-encoded JSON. Part of the token may be missing.',
        }
      : { format: 'opaque', length: token.length };
  }
  if (lostNames(headerText ?? '', headerValues)) return AMBIGUOUS;
  if (isTooDeep(headerValues)) return TOO_DEEP;
  const header = membersIn(headerText ?? '');
  if (parts.length === 5) return { format: 'jwe', header, headerValues };
  const payloadText = decoded(parts[1] ?? '');
  const values = payloadText === null ? null : asObject(payloadText);
  if (values === null && payloadText !== null && WHOLE.test(payloadText))
    return { format: 'jws', header, headerValues, inner: payloadText };
  if (values === null && headerValues['cty'] === undefined && headerValues['zip'] === undefined) {
    return {
      format: 'broken',
      why: 'The claims are not a base64url-encoded JSON object. Part of the token may be missing.',
    };
  }
  if (values === null) return { format: 'jws', header, headerValues, inner: null };
  if (lostNames(payloadText ?? '', values)) return AMBIGUOUS;
  if (isTooDeep(values)) return TOO_DEEP;
  return { format: 'jwt', header, payload: membersIn(payloadText ?? ''), values, headerValues };
}

const AMBIGUOUS: ReadToken = {
  format: 'broken',
  why: 'It names a field twice, so one program may read another user, audience or expiry from it than the next.',
};

const TOO_DEEP: ReadToken = {
  format: 'broken',
  why: `Its JSON is nested more than ${String(MAX_DEPTH)} levels deep, so it is not shown.`,
};

/** Whether a value nests so deep that JSON.stringify could overflow the stack, where JSON.parse did not. */
function isTooDeep(value: unknown, left = MAX_DEPTH): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (left === 0 || Object.values(value).some((held) => isTooDeep(held, left - 1)))
  );
}

/** Returns the most important fact about a token as a label: "Expired 3 years ago". */
export function tokenLabel(token: ReadToken, now: number): Pick<TokenProblem, 'tone' | 'title'> | null {
  const [first] = problemsOf(token, now);
  return first === undefined ? null : { tone: first.tone, title: first.title.replace(/[.:]$/, '') };
}

/** A sentence about a token. The most important one comes first. */
export interface TokenProblem {
  tone: 'bad' | 'warn' | 'plain';
  title: string;
  text: string;
  /** The title without a time that changes every second, which a screen reader would announce each time. Default: the title. */
  spoken?: string;
}

/** Returns what is wrong with a token, and what can't be known. */
export function problemsOf(
  token: ReadToken,
  now: number,
  timeZone?: string,
  signature: SignatureResult | null = null,
): TokenProblem[] {
  switch (token.format) {
    case 'broken':
      return [{ tone: 'bad', title: 'Not a valid token.', text: token.why }];
    case 'opaque':
      return [
        {
          tone: 'plain',
          title: 'Opaque token.',
          text: `${String(token.length)} characters that only the provider and the API can read. This is normal.`,
        },
      ];
    case 'jwe':
      return [{ tone: 'plain', title: 'Encrypted for the API (JWE).', text: 'Only the header can be read.' }];
    case 'jws':
      return [
        token.inner === null
          ? { tone: 'warn', title: 'Signed, but not a JWT.', text: 'What is signed is not a JSON object.' }
          : { tone: 'warn', title: 'Nested token.', text: 'The claims are in the token inside it.' },
      ];
    case 'jwt':
      return problemsOfJwt(token.values, token.headerValues, now, timeZone, signature);
  }
}

function problemsOfJwt(
  values: Values,
  header: Values,
  now: number,
  timeZone: string | undefined,
  signature: SignatureResult | null,
): TokenProblem[] {
  const problems: TokenProblem[] = [];
  const add = (tone: TokenProblem['tone'], title: string, text: string, spoken = title) =>
    problems.push({ tone, title, text, spoken });
  const [exp, nbf, iat] = [values['exp'], values['nbf'], values['iat']];
  if (isSeconds(exp) && isPast(exp, now))
    add('bad', `Expired ${relative(exp, now)}:`, `${clockOf(exp, now, timeZone)}.`, 'Expired.');
  if (isSeconds(nbf) && !isPast(nbf, now))
    add('bad', 'Not yet valid.', `Valid ${relative(nbf, now)}, from ${clockOf(nbf, now, timeZone)}.`);
  if (isSeconds(iat) && !isPast(iat - 60, now))
    add('warn', 'Issued in the future.', 'A clock is wrong: the issuer’s or this computer’s.');
  const isNoTime = (tone: TokenProblem['tone'], title: string, value: unknown) => {
    if (value === undefined || isSeconds(value)) return;
    add(tone, title, typeof value === 'number' && isMilliseconds(value) ? 'It looks like milliseconds.' : '');
  };
  isNoTime('bad', 'The expiry is not a time.', exp);
  isNoTime('bad', 'The start of its validity (nbf) is not a time.', nbf);
  isNoTime('warn', 'The time of issue (iat) is not a time.', iat);
  if (exp === undefined) add('warn', 'No expiry.', 'The token has no exp claim.');
  if (typeof header['alg'] !== 'string' || header['alg'].toLowerCase() === 'none')
    add(
      'bad',
      'Not signed.',
      'The header names no signature algorithm, so anyone could have made this token.',
    );
  if (values['aud'] === undefined)
    add('warn', 'No audience.', 'An API can’t tell whether the token is for it.');
  if (values['iss'] === undefined) add('warn', 'No issuer.', 'The token doesn’t say who issued it.');
  if (problems.length === 0 && isSeconds(exp))
    add(
      'plain',
      `Valid for ${spanUntil(exp, now)}`,
      `by its times, until ${clockOf(exp, now, timeZone)}.`,
      'Valid by its times.',
    );
  // The names and times mean nothing if someone else wrote them, so this comes first.
  const forged = signature?.result === 'invalid';
  if (forged) problems.unshift({ tone: 'bad', ...SIGNATURE.invalid });
  else if (signature !== null && signature.result !== 'uncheckable')
    add(
      signature.result === 'valid' ? 'plain' : 'warn',
      SIGNATURE[signature.result].title,
      SIGNATURE[signature.result].text,
    );
  else {
    const graph = signature?.why === 'graph' || (header['nonce'] !== undefined && isForGraph(values['aud']));
    add('plain', 'Signature not checked.', graph ? 'Graph’s access tokens can’t be checked by others.' : '');
  }
  return problems;
}

function isForGraph(audience: unknown): boolean {
  return typeof audience === 'string' && resourceName(audience) === 'Microsoft Graph';
}

const SIGNATURE = {
  valid: { title: 'The signature is valid.', text: '' },
  invalid: { title: 'The signature is not valid.', text: 'Don’t trust what the token says.' },
  'key-not-found': { title: 'Signature not checked.', text: 'The issuer doesn’t publish its key.' },
} as const;

/** One line of the table of times. */
export interface TimeLine {
  name: string;
  says: string;
  utc: string;
  local: string;
  epoch: string;
  relative: string;
  past: boolean;
}

const TIMES: readonly (readonly [string, string])[] = [
  ['iat', 'Issued'],
  ['auth_time', 'User signed in'],
  ['nbf', 'Not before'],
  ['exp', 'Expires'],
];

/** Returns the times of a token as UTC, local time and epoch. */
export function timesOf(token: ReadToken, now: number, timeZone?: string): TimeLine[] {
  if (token.format !== 'jwt') return [];
  return TIMES.flatMap(([name, says]) => {
    const at = token.values[name];
    if (!isSeconds(at)) return [];
    return [
      {
        name,
        says,
        utc: `${isoTime(at).slice(0, 19).replace('T', ' ')}Z`,
        // Always local time, whatever the setting, because UTC has its own column.
        local: localTime(at, now, timeZone ?? ownZone()),
        epoch: String(at),
        relative: relative(at, now),
        past: name === 'exp' && isPast(at, now),
      },
    ];
  });
}

/** The type, audience, issuer, user and app of a token. */
export interface TokenSummary {
  title: string;
  /** One line: "Access token (JWT) · Microsoft Graph". */
  short: string;
  /** null: not named. */
  user: string | null;
  facts: { name: string; value: string }[];
}

export function summaryOf(token: ReadToken): TokenSummary {
  if (token.format === 'opaque') return untitled('Opaque token');
  if (token.format === 'broken') return untitled('Not a token');
  if (token.format === 'jwe') return untitled('Encrypted token (JWE)');
  if (token.format === 'jws') return untitled('Signed content (JWS)');
  const { values } = token;
  const text = (name: string): string | null =>
    typeof values[name] === 'string' && values[name] !== '' ? visible(values[name]) : null;
  const aud = values['aud'];
  const audience = Array.isArray(aud)
    ? aud.filter((each) => typeof each === 'string').join(', ')
    : text('aud');
  const resource = audience === null ? null : resourceName(audience);
  const app = text('azp') ?? text('appid') ?? text('client_id');
  const known = app === null ? null : (text('app_displayname') ?? appName(app));
  const user = text('preferred_username') ?? text('upn') ?? text('email') ?? text('name') ?? text('sub');
  const title = `${kindOf(token.headerValues, values)} (JWT)`;
  const facts = [
    {
      name: 'For',
      value: resource !== null && resource !== audience ? `${resource} · ${audience ?? ''}` : audience,
    },
    { name: 'From', value: text('iss') },
    { name: 'User', value: user },
    { name: 'App', value: known === null ? app : `${known} · ${app ?? ''}` },
  ];
  return {
    title,
    short: resource ? `${title} · ${visible(resource)}` : title,
    user,
    facts: facts.flatMap(({ name, value }) =>
      value === null || value === '' ? [] : [{ name, value: visible(value) }],
    ),
  };
}

const untitled = (title: string): TokenSummary => ({ title, short: title, user: null, facts: [] });

function kindOf(header: Values, values: Values): string {
  const typ = typeof header['typ'] === 'string' ? header['typ'].toLowerCase() : '';
  if (typ === 'at+jwt' || typ === 'application/at+jwt') return 'Access token'; // RFC 9068 §2.1
  if (typ === 'logout+jwt') return 'Logout token';
  if (values['scp'] !== undefined || values['scope'] !== undefined) return 'Access token';
  return values['nonce'] !== undefined || values['at_hash'] !== undefined ? 'ID token' : 'Token';
}

/** A claim, or a member of the header, in two tokens. */
export interface ClaimDifference {
  name: string;
  a: string | null;
  b: string | null;
  differs: boolean;
  /** Items of lists and scopes that only A or only B has; empty for other values. */
  onlyA: readonly string[];
  onlyB: readonly string[];
}

/** What two tokens with claims have in common, and what not. */
export interface Comparison {
  /** "2 of 17 claims differ". */
  title: string;
  /** What else differs; may be empty. */
  text: string;
  claims: ClaimDifference[];
  header: ClaimDifference[];
}

/** Compares the claims, headers and signatures of two tokens; null if one of them has no claims that can be read. */
export function compareTokens(a: string, b: string): Comparison | null {
  const [first, second] = [readToken(a), readToken(b)];
  if (first.format !== 'jwt' || second.format !== 'jwt') return null;
  const claims = differencesOf(first.payload, second.payload);
  const header = differencesOf(first.header, second.header);
  const different = claims.filter(({ differs }) => differs).length;
  const title =
    different > 0
      ? `${number(different)} of ${count(claims.length, 'claim')} ${different === 1 ? 'differs' : 'differ'}`
      : `The ${a === b ? 'tokens' : 'claims'} are the same`;
  return { title, text: otherDifferences(a, b, header), claims, header };
}

function otherDifferences(a: string, b: string, header: readonly ClaimDifference[]): string {
  const [[signed, signature], [otherSigned, otherSignature]] = [signedParts(a), signedParts(b)];
  const headers = header.some(({ differs }) => differs);
  // A signature covers the header and the claims (RFC 7515 §5.1).
  if (signature === otherSignature && signature !== '' && signed !== otherSigned)
    return `${headers ? 'The headers differ. ' : ''}The signatures are the same, so at least one of the tokens was changed.`;
  const parts = [...(headers ? ['headers'] : []), ...(signature === otherSignature ? [] : ['signatures'])];
  return parts.length === 0 ? '' : `The ${listing(parts)} differ.`;
}

/** The signing input and the signature (RFC 7515 §7.1). */
function signedParts(token: string): [string, string] {
  const end = token.lastIndexOf('.');
  return [token.slice(0, end), token.slice(end + 1)];
}

/** Compares the members of two objects, in the order of the first. */
function differencesOf(first: readonly Claim[], second: readonly Claim[]): ClaimDifference[] {
  const [inA, inB] = [first, second].map((claims) => new Map(claims.map(({ name, json }) => [name, json])));
  const names = new Set([...first, ...second].map(({ name }) => name));
  return [...names].map((name) => {
    const [x, y] = [inA?.get(name), inB?.get(name)];
    const [left, right] = [itemsOf(name, x), itemsOf(name, y)];
    const sets = left !== null && right !== null;
    return {
      name,
      a: x === undefined ? null : shown(x),
      b: y === undefined ? null : shown(y),
      differs: x === undefined || y === undefined || !(sets ? isSameSet(left, right) : isSameJsonText(x, y)),
      onlyA: sets ? onlyIn(left, right) : [],
      onlyB: sets ? onlyIn(right, left) : [],
    };
  });
}

/** Returns why two tokens can't be compared claim by claim, and whether they are the same; null if they can. */
export function whyNotCompared(a: string, b: string): string | null {
  const [x, y] = [a, b].map((token) => readToken(token).format !== 'jwt');
  if (x !== true && y !== true) return null;
  const which =
    x === true && y === true
      ? 'Neither token has claims that can be read.'
      : `Token ${x === true ? 'A' : 'B'} has no claims that can be read.`;
  return `${which} The tokens are ${a === b ? 'the same' : 'different'}.`;
}

/** Returns the items that only `a` has, each once. */
function onlyIn(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set(a)].filter((item) => !b.includes(item));
}

/** Whether two lists have the same items, in any order. An item that is repeated in one of them only is a difference. */
function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
}

/** Claims whose text is a set of words (RFC 8693 §4.2). */
const WORDS = new Set(['scp', 'scope']);

function itemsOf(name: string, json: string | undefined): string[] | null {
  const value = json === undefined ? undefined : asJson(json);
  if (typeof value === 'string' && WORDS.has(name)) return value.split(' ').filter(Boolean);
  return isTexts(value) ? value : null;
}

function shown(json: string): string {
  const value = asJson(json);
  return visible(typeof value === 'string' ? value : isTexts(value) ? value.join('  ') : json);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** "14:02:11" today, else with the day. */
function clockOf(at: number, now: number, timeZone?: string): string {
  return localTime(at, now, timeZone).replace(/^today /, '');
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && isTime(value) && !isMilliseconds(value);
}

function asObject(text: string): Values | null {
  const value = asJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : null;
}

/** Returns undefined if the text is not JSON. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decoded(part: string): string | null {
  if (!/^[\w-]+={0,2}$/.test(part)) return null;
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

import { type ReactNode, useMemo, useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { chooseFile, copyText, textIn } from '../bridge.ts';
import { Action } from '../parts/Action.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { Icon } from '../parts/Icon.tsx';
import { ClaimLines, NotShown } from '../parts/Lines.tsx';
import { PAYLOAD } from '../state/claimMeanings.ts';
import { claimsText, headerLine, MOST_LINES, payloadLine } from '../state/claims.ts';
import {
  type ClaimDifference,
  compareTokens,
  type FoundToken,
  LONGEST_INPUT,
  problemsOf,
  type ReadToken,
  readToken,
  summaryOf,
  timesOf,
  tokenLabel,
  tokensIn,
  whyNone,
  whyNotCompared,
} from '../state/inspect.ts';
import { signatureSays } from '../state/signatureCheck.ts';
import { visible, visibleLines } from '../state/text.ts';
import { number } from '../state/words.ts';

/** Shows what a pasted token says, or how two tokens differ. Nothing is stored. */
export function InspectPage() {
  const { inspect } = useModel();
  const { compares } = useStore(inspect.view);
  return (
    <main className="inspect-page">
      <div className="inspect-head">
        <h1>Inspect</h1>
        <div className="segment-list inspect-mode" role="group" aria-label="View">
          <button
            type="button"
            className="segment"
            data-selected={!compares || undefined}
            aria-pressed={!compares}
            onClick={() => inspect.compare(false)}
          >
            One token
          </button>
          <button
            type="button"
            className="segment"
            data-selected={compares || undefined}
            aria-pressed={compares}
            onClick={() => inspect.compare(true)}
          >
            Compare
          </button>
        </div>
      </div>
      {compares ? <Compare /> : <One />}
    </main>
  );
}

/** The input of a slot, and the chosen one of its tokens. */
function useSlot(slot: 'first' | 'second'): {
  text: string;
  found: readonly FoundToken[];
  token: string | null;
} {
  const { inspect } = useModel();
  const view = useStore(inspect.view);
  const text = view[slot];
  const found = useMemo(() => tokensIn(text), [text]);
  return { text, found, token: found[view.chosen[slot]]?.token ?? null };
}

/** A button for each token of an input with several. */
function TokenChoice({ slot, found }: { slot: 'first' | 'second'; found: readonly FoundToken[] }) {
  const { inspect } = useModel();
  const chosen = useStore(inspect.view, (view) => view.chosen[slot]);
  if (found.length < 2) return null;
  return (
    <div className="actions" role="group" aria-label="Tokens found">
      {found.map(({ field }, index) => (
        <Action
          key={field}
          kind={index === chosen ? 'primary' : 'plain'}
          aria-pressed={index === chosen}
          onPress={() => inspect.choose(slot, index)}
        >
          {visible(field ?? 'Token')}
        </Action>
      ))}
    </div>
  );
}

function One() {
  const { inspect } = useModel();
  const { text, found, token } = useSlot('first');
  const read = token === null ? null : readToken(token);
  return (
    <div className="inspect">
      <div className="inspect-input">
        <TokenInput label="Token" text={text} onChange={(next) => inspect.set('first', next)} />
        <div className="actions">
          <OpenFile />
          {text !== '' && (
            <Action kind="quiet" onPress={() => inspect.set('first', '')}>
              Clear
            </Action>
          )}
          <span className="note">Never stored</span>
        </div>
        <TokenChoice slot="first" found={found} />
        {read !== null && <Summary token={read} />}
        {read?.format === 'jws' && read.inner !== null && (
          <Action onPress={() => inspect.set('first', read.inner ?? '')}>Inspect the inner token</Action>
        )}
        {read?.format === 'jwt' && token !== null && <SignatureCard token={token} />}
      </div>
      <div className="inspect-result">
        {read === null ? (
          <p className="inspect-empty" role="status">
            {text.trim() === ''
              ? 'Paste or drop a token, an Authorization header or a token response.'
              : whyNone(text)}
          </p>
        ) : (
          <Result key={token} token={read} text={token ?? ''} />
        )}
      </div>
    </div>
  );
}

/** Reads a saved token or token response. A larger file is cut, and the page says that it is too long. */
function OpenFile() {
  const { inspect, dialogs } = useModel();
  const open = async () => {
    const file = await chooseFile();
    if (file === null) return;
    try {
      // No character has more than four bytes.
      inspect.take(await textIn(file.slice(0, 4 * LONGEST_INPUT + 4)));
    } catch {
      const message =
        'The file could not be read. Check whether it still exists, and whether you may read it.';
      dialogs.fail('The file could not be opened', { code: 'document_unreadable', message });
    }
  };
  return (
    <Action kind="quiet" onPress={() => void open()}>
      Open file…
    </Action>
  );
}

function TokenInput({
  label,
  text,
  onChange,
}: {
  label: string;
  text: string;
  onChange: (text: string) => void;
}) {
  return (
    <textarea
      className="token-input"
      aria-label={label}
      placeholder="eyJ…"
      spellCheck={false}
      autoComplete="off"
      maxLength={LONGEST_INPUT + 1}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Summary({ token }: { token: ReadToken }) {
  const { title, facts } = summaryOf(token);
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      <Facts facts={facts} />
    </section>
  );
}

function Facts({ facts }: { facts: readonly { name: string; value: string }[] }) {
  return (
    <dl className="pairs">
      {facts.map(({ name, value }) => (
        <div className="pair" key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether the issuer signed the token: checked when the user asks for it. */
function SignatureCard({ token }: { token: string }) {
  const { signatures } = useModel();
  const { of, checking, result: last } = useStore(signatures.view);
  const result = of === token ? last : null;
  const says = useTimed((now) => (result === null ? null : signatureSays(result, now)));
  return (
    <section className="card signature" aria-label="Signature" data-tone={says?.tone ?? 'plain'}>
      <h2>
        {says?.tone === 'good' && <Icon name="check" />}
        <span role="status">{says?.title ?? 'Signature not checked'}</span>
      </h2>
      {says === null && (
        <p className="note">
          The public keys come from the issuer that the token names. Tokenkeep asks first.
        </p>
      )}
      {says !== null && says.text !== '' && <p>{says.text}</p>}
      {says !== null && says.facts.length > 0 && <Facts facts={says.facts} />}
      {result?.result !== 'uncheckable' && (
        <Action
          pending={checking && of === token ? 'Checking…' : null}
          onPress={() => void signatures.check({ text: token })}
        >
          {result === null ? 'Check signature…' : 'Check again…'}
        </Action>
      )}
    </section>
  );
}

function Result({ token, text }: { token: ReadToken; text: string }) {
  const { signatures } = useModel();
  const { of, result } = useStore(signatures.view);
  const signature = of === text ? result : null;
  const problems = useTimed((now) => problemsOf(token, now, undefined, signature));
  const tone = problems.some((problem) => problem.tone === 'bad')
    ? 'bad'
    : problems.some((problem) => problem.tone === 'warn')
      ? 'warn'
      : 'plain';
  return (
    <>
      <section className="inspect-notice" data-tone={tone} aria-label="Assessment">
        <Icon name={tone === 'plain' ? 'show' : 'warning'} />
        <p className="unseen" role="status">
          {problems.map(({ title, spoken = title }) => spoken).join(' ')}
        </p>
        <div>
          {problems.map(({ title, text }) => (
            <p key={title}>
              <b>{title}</b> {text}
            </p>
          ))}
        </div>
      </section>
      <Times token={token} />
      <Contents token={token} />
    </>
  );
}

function Times({ token }: { token: ReadToken }) {
  const lines = useTimed((now) => timesOf(token, now));
  if (lines.length === 0) return null;
  return (
    <div className="table-card">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">UTC</th>
            <th scope="col">Local</th>
            <th scope="col">Epoch</th>
            <th scope="col">
              <span className="unseen">Relative</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name, says, utc, local, epoch, relative, past }) => (
            <tr key={name} data-past={past}>
              <th scope="row">
                <code>{name}</code> <span>{says}</span>
              </th>
              <td>{utc}</td>
              <td>{local}</td>
              <td className="mono">{epoch}</td>
              <td className="soft">{relative}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Contents({ token }: { token: ReadToken }) {
  const { toasts } = useModel();
  if (token.format === 'opaque' || token.format === 'broken') return null;
  const payload = token.format === 'jwt' ? token.payload : [];
  const raw = rawJson(token);
  const copy = () => {
    const text = claimsText(token.format === 'jwt' ? token.payload : token.header);
    toasts.show(copyText(text) ? 'Claims copied.' : 'The claims could not be copied.');
  };
  return (
    <Tabs className="inspect-tabs">
      <div className="inspect-tabs-head">
        <TabList className="segment-list" aria-label="Token contents">
          {token.format === 'jwt' && (
            <Tab id="claims" className="segment">
              {`Claims ${payload.length}`}
            </Tab>
          )}
          <Tab id="header" className="segment">
            {`Header ${token.header.length}`}
          </Tab>
          <Tab id="raw" className="segment">
            Raw JSON
          </Tab>
        </TabList>
        <Action kind="quiet" onPress={copy}>
          {token.format === 'jwt' ? 'Copy claims as JSON' : 'Copy header as JSON'}
        </Action>
      </div>
      {token.format === 'jwt' && (
        <TabPanel id="claims">
          <ClaimLines claims={payload} line={payloadLine} />
        </TabPanel>
      )}
      <TabPanel id="header">
        <ClaimLines claims={token.header} line={headerLine} />
      </TabPanel>
      <TabPanel id="raw">
        <pre className="raw" role="group" tabIndex={0} aria-label="Raw JSON">
          {visibleLines(raw)}
        </pre>
      </TabPanel>
    </Tabs>
  );
}

function rawJson(token: Extract<ReadToken, { format: 'jwt' | 'jwe' | 'jws' }>): string {
  const header = claimsText(token.header);
  return token.format === 'jwt' ? `${header}\n\n${claimsText(token.payload)}` : header;
}

/** A claim or a member of the header, as the table shows it. */
type ComparedLine = ClaimDifference & ReturnType<typeof compared>;

function Compare() {
  const { inspect } = useModel();
  const [all, showAll] = useState(false);
  const [a, b] = [useSlot('first'), useSlot('second')];
  const both = a.token !== null && b.token !== null ? ([a.token, b.token] as const) : null;
  const comparison = useTimed((now) => {
    const found = both === null ? null : compareTokens(...both);
    if (found === null) return null;
    const lines = (of: readonly ClaimDifference[], line: typeof payloadLine): ComparedLine[] =>
      of.filter(({ differs }) => all || differs).map((row) => ({ ...row, ...compared(row, line, now) }));
    const claims = lines(found.claims, payloadLine);
    const header = lines(found.header, headerLine);
    return {
      ...found,
      claims: claims.slice(0, MOST_LINES),
      header: header.slice(0, MOST_LINES),
      lines: claims.length + header.length,
    };
  });
  const shown = comparison === null ? 0 : comparison.claims.length + comparison.header.length;
  return (
    <div className="compare">
      <div className="slots">
        <Slot letter="A" slot="first" />
        <Slot letter="B" slot="second" />
      </div>
      {both === null ? (
        <p className="inspect-empty">Paste two tokens to see how they differ.</p>
      ) : comparison === null ? (
        <p className="inspect-empty" role="status">
          {whyNotCompared(...both)}
        </p>
      ) : (
        <>
          <div className="compare-head">
            <p role="status">
              <b>{comparison.title}</b> <span className="second">{comparison.text}</span>
            </p>
            <Action kind="quiet" onPress={inspect.swap}>
              Swap A and B
            </Action>
            <Action aria-pressed={all} onPress={() => showAll(!all)}>
              {all ? 'Show differences' : 'Show all claims'}
            </Action>
          </div>
          {shown > 0 && (
            <div className="table-card">
              <table className="compare-table">
                <ComparedLines title="Claim" lines={comparison.claims} />
                <ComparedLines title="Header" lines={comparison.header} />
              </table>
            </div>
          )}
          <NotShown more={comparison.lines - shown} />
        </>
      )}
      <p className="note">Never stored</p>
    </div>
  );
}

function ComparedLines({ title, lines }: { title: string; lines: readonly ComparedLine[] }) {
  if (lines.length === 0) return null;
  return (
    <tbody>
      <tr className="compare-columns">
        <th scope="col">{title}</th>
        <th scope="col">A</th>
        <th scope="col">B</th>
      </tr>
      {lines.map(({ name, says, left, right, onlyA, onlyB }) => (
        <tr key={name}>
          <th scope="row">
            <code>
              <bdi>{visible(name)}</bdi>
            </code>
            {says !== null && <span className="second">{says}</span>}
          </th>
          <td>
            <Value text={left} of={`${visible(name)} in A`} />
          </td>
          <td>
            <Value text={right} of={`${visible(name)} in B`} />
            {onlyA.length + onlyB.length > 0 && <Changes onlyA={onlyA} onlyB={onlyB} of={visible(name)} />}
          </td>
        </tr>
      ))}
    </tbody>
  );
}

/** The first characters of a long value, and the first of many changes: a token may name hundreds of groups. */
const VALUE_START = 400;
const MOST_CHANGES = 20;

function Value({ text, of }: { text: string | null; of: string }) {
  if (text === null) return <span className="soft">Not present</span>;
  const start = text.length <= VALUE_START * 1.5 ? text : startOf(text);
  return (
    <Shortened isLong={start !== text} more="Show all" of={of}>
      {(isWhole) => <bdi>{isWhole ? text : `${start}…`}</bdi>}
    </Shortened>
  );
}

/** Returns the start of a text, up to a space if there is one. */
function startOf(text: string): string {
  const start = text.slice(0, VALUE_START);
  const space = start.lastIndexOf(' ');
  return space > VALUE_START / 2 ? start.slice(0, space).trimEnd() : start.replace(/[\uD800-\uDBFF]$/, '');
}

/** The items that only one of the tokens has. */
function Changes({ onlyA, onlyB, of }: { onlyA: readonly string[]; onlyB: readonly string[]; of: string }) {
  const all = [
    ...onlyA.map((item) => ({ item, tone: 'minus', sign: '−' })),
    ...onlyB.map((item) => ({ item, tone: 'plus', sign: '+' })),
  ];
  const more = all.length - MOST_CHANGES;
  return (
    <Shortened isLong={more > 0} more={`and ${number(more)} more`} of={`the differences of ${of}`}>
      {(isWhole) => (
        <span className="changes">
          {(isWhole ? all : all.slice(0, MOST_CHANGES)).map(({ item, tone, sign }) => (
            <span className={tone} key={`${sign} ${item}`}>
              {sign} <bdi>{visible(item)}</bdi>
            </span>
          ))}
        </span>
      )}
    </Shortened>
  );
}

/** Something long, of which the start is shown until the user asks for all of it. */
function Shortened({
  isLong,
  more,
  of,
  children,
}: {
  isLong: boolean;
  more: string;
  of: string;
  children: (isWhole: boolean) => ReactNode;
}) {
  const [isWhole, setWhole] = useState(false);
  const says = isWhole ? 'Show less' : more;
  return (
    <>
      {children(isWhole || !isLong)}
      {isLong && (
        <Action
          kind="quiet"
          aria-expanded={isWhole}
          aria-label={`${says}: ${of}`}
          onPress={() => setWhole(!isWhole)}
        >
          {says}
        </Action>
      )}
    </>
  );
}

/** Returns the texts of a claim in both tokens. Times are readable, followed by their epoch. */
function compared({ name, a, b }: ClaimDifference, line: typeof payloadLine, now: number) {
  const { says } = line({ name, json: 'null' }, now);
  const shown = (value: string | null) => {
    if (value === null || PAYLOAD.get(name)?.reading !== 'time' || !/^\d+$/.test(value)) return value;
    const { value: time } = line({ name, json: value }, now);
    return time === value ? value : `${time} · ${value}`;
  };
  return { says, left: shown(a), right: shown(b) };
}

function Slot({ letter, slot }: { letter: string; slot: 'first' | 'second' }) {
  const { inspect } = useModel();
  const { text, found, token: chosen } = useSlot(slot);
  const token = chosen === null ? null : readToken(chosen);
  const problem = useTimed((now) => (token === null ? null : tokenLabel(token, now)));
  const summary = token === null ? null : summaryOf(token);
  return (
    <section className="slot" aria-label={`Token ${letter}`}>
      <div className="slot-head">
        <span className="letter" aria-hidden="true">
          {letter}
        </span>
        <span className="two-lines">
          <b>{summary?.short ?? `Token ${letter}`}</b>
          {summary?.user && <span className="second">{summary.user}</span>}
        </span>
        {problem !== null && (
          <span className="slot-tag" data-tone={problem.tone}>
            {problem.title}
          </span>
        )}
      </div>
      <TokenInput label={`Token ${letter}`} text={text} onChange={(next) => inspect.set(slot, next)} />
      <TokenChoice slot={slot} found={found} />
      {token === null && text.trim() !== '' && <p className="note">{whyNone(text)}</p>}
    </section>
  );
}

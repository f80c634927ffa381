import { FRAMES_AT } from '../../../src-main/vault/format/header.ts';
import { openFile } from '../../../src-main/vault/open.ts';
import type { VaultState } from '../../../src-main/vault/state.ts';
import { FakeDisk, placeOf } from '../../vault/disk.ts';
import { usersIn } from '../../vault/people.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import { frameStarts, makeSpecimen, type Specimen, type Users } from './specimen.ts';

interface Case {
  row: string;
  title: string;
  /** Created when it is tried, because there are tens of thousands. */
  bytes: () => Buffer;
  /** The expected states; if `ready` is among them, `users` are the expected contents in that state. */
  states: readonly VaultState[];
  users?: Users;
}

/** Changes a vault's bytes in every way. The vault must have the right state, and never a token that was not in it. */
export async function changeBytes(scene: Scene): Promise<void> {
  const { tally, short, random, fault } = scene;
  const specimen = await makeSpecimen(scene.folder());
  const families = [flips, lengths, zeros, framesMoved, splices, mixtures];
  for (const family of families) {
    let cases = [...family(specimen, scene)].filter(({ row, title }) => `${row}: ${title}`.includes(fault));
    if (short && fault === '') cases = random.sample(cases, 400);
    for (const one of cases) await tally.try(`bytes: ${one.row}`, one.title, () => judge(specimen, one));
  }
}

async function judge(
  { keychain, states, ever }: Specimen,
  { bytes: make, states: right, users }: Case,
): Promise<void> {
  const bytes = make();
  const disk = new FakeDisk();
  disk.put('/v', bytes);
  const opening = await openFile(placeOf(disk, '/v', keychain));
  must(disk.calls.length === 0 && disk.bytes('/v').equals(bytes), 'opening has changed the file');
  must(right.includes(opening.state), `the vault is ${opening.state}, and should be ${right.join(' or ')}`);
  const found = opening.contents === null ? {} : usersIn(opening.contents.cache);
  for (const [home, secret] of Object.entries(found)) {
    must(ever.get(home)?.has(secret) === true, `${home} is said to be ${secret}`);
  }
  // The vault was closed in an orderly way, so a file that lacks any part of it is not current.
  if (opening.state === 'ready')
    must(same(found, states.at(-1) ?? {}), `it is ready, and says ${JSON.stringify(found)}`);
  // An account that was signed out since must not be readable in an older file.
  if (opening.state === 'older') {
    const signedIn = Object.keys(states.at(-1) ?? {});
    const then = Object.entries(users ?? {}).filter(([home]) => signedIn.includes(home));
    must(same(found, Object.fromEntries(then)), `it is older, and says ${JSON.stringify(found)}`);
  }
  const recovered = opening.contents?.recovered;
  if (opening.state === 'damaged' && opening.contents !== null) {
    must(
      recovered !== null && recovered !== undefined,
      'it is damaged, and nobody is told what was recovered',
    );
    must(recovered.accounts <= Object.keys(found).length, 'more is said to be recovered than is there');
  }
}

function* flips({ good, baseFrames, starts }: Specimen): Iterable<Case> {
  for (let at = 0; at < good.length; at += 1) {
    const frame = starts.findLastIndex((start) => start <= at);
    const region = at < FRAMES_AT ? 'header' : frame < baseFrames ? 'base' : 'what was appended';
    // Flips two bits of each byte, and one bit among the thousands of zeros between the header's copies.
    for (const bit of at >= 128 && at < 4096 ? [at % 8] : [at % 8, (at + 5) % 8]) {
      const bytes = (): Buffer => {
        const changed = Buffer.from(good);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        return changed;
      };
      yield { row: `bit flipped in ${region}`, title: `byte ${at}, bit ${bit}`, bytes, states: ['damaged'] };
    }
  }
}

function* lengths({ good, baseFrames, starts, states }: Specimen): Iterable<Case> {
  for (let length = 0; length < good.length; length += 1) {
    const frames = starts.filter((start) => start <= length).length - 1;
    const users = states[frames - baseFrames];
    yield {
      row: 'cut short',
      title: `to ${length} bytes`,
      bytes: () => good.subarray(0, length),
      states: frames < baseFrames ? ['damaged'] : ['older'],
      ...(users === undefined ? {} : { users }),
    };
  }
}

/** Zeros from within a later frame to the end are what a power cut leaves; anywhere else they are damage. */
function* zeros({ good, starts, baseFrames, states }: Specimen): Iterable<Case> {
  const last = starts.at(-2) ?? 0;
  for (const size of [16, 64, 512, 4096]) {
    for (let at = 0; at < good.length; at += size) {
      const bytes = Buffer.from(good).fill(0, at, Math.min(at + size, good.length));
      if (bytes.equals(good)) continue;
      const first = starts.findLastIndex((start) => start <= at);
      const torn = first >= baseFrames && (first === starts.indexOf(last) || at + size >= good.length);
      const users = states[first - baseFrames];
      yield {
        row: 'zeros',
        title: `${size} bytes at ${at}`,
        bytes: () => bytes,
        states: torn ? ['older', 'damaged'] : ['damaged'],
        ...(users === undefined ? {} : { users }),
      };
    }
  }
}

function* framesMoved(specimen: Specimen): Iterable<Case> {
  const { good, states } = specimen;
  const frames = framesOf(good);
  const build = (order: readonly Buffer[]): Buffer => Buffer.concat([good.subarray(0, FRAMES_AT), ...order]);
  for (const [n] of frames.entries()) {
    const rest = frames.filter((_, index) => index !== n);
    const end = n === frames.length - 1;
    const users = states.at(-2);
    // Without its last frame, a file is as it was before that frame was written.
    yield {
      row: 'frame dropped',
      title: `frame ${n}`,
      bytes: () => build(rest),
      states: end ? ['older'] : ['damaged'],
      ...(end && users !== undefined ? { users } : {}),
    };
    for (let to = 0; to <= frames.length; to += 1) {
      const repeated = [...frames.slice(0, to), frames[n] ?? good, ...frames.slice(to)];
      yield {
        row: 'frame repeated',
        title: `frame ${n} at ${to}`,
        bytes: () => build(repeated),
        states: ['damaged'],
      };
    }
    for (let other = n + 1; other < frames.length; other += 1) {
      const order = frames.map(
        (frame, index) => frames[index === n ? other : index === other ? n : index] ?? frame,
      );
      yield {
        row: 'frames swapped',
        title: `frames ${n} and ${other}`,
        bytes: () => build(order),
        states: ['damaged'],
      };
    }
  }
}

/** Combines pieces of older copies and of another vault, and puts this vault's frames behind their header. */
function* splices({ good, others }: Specimen): Iterable<Case> {
  const frames = framesOf(good);
  const head = good.subarray(0, FRAMES_AT);
  for (const [name, other] of Object.entries(others)) {
    for (const [n, frame] of framesOf(other).entries()) {
      for (let at = 0; at <= frames.length; at += 1) {
        const inserted = [...frames.slice(0, at), frame, ...frames.slice(at)];
        const replaced = [...frames.slice(0, at), frame, ...frames.slice(at + 1)];
        for (const [how, order] of [
          ['inserted at', inserted],
          ['instead of', replaced],
        ] as const) {
          const title = `frame ${n} of the ${name} copy ${how} frame ${at}`;
          yield { row: 'spliced', title, bytes: () => Buffer.concat([head, ...order]), states: ['damaged'] };
        }
      }
    }
    const gone: VaultState[] = name === 'closed' ? ['key-missing', 'wrong-key'] : ['damaged'];
    const title = `behind the header of the ${name} copy`;
    const behind = Buffer.concat([other.subarray(0, FRAMES_AT), ...frames]);
    yield { row: 'spliced', title, bytes: () => behind, states: gone };
    // One copy of the header alone: the other one is not the same, and so it is damaged, whichever is taken.
    for (const from of [0, 4096]) {
      const bytes = Buffer.from(good);
      other.copy(bytes, from, from, from + 128);
      yield {
        row: 'spliced',
        title: `header at ${from} of the ${name} copy`,
        bytes: () => bytes,
        states: from === 0 ? gone : ['damaged'],
      };
    }
    for (let at = FRAMES_AT; at < Math.min(good.length, other.length); at += 512) {
      const bytes = Buffer.from(good);
      other.copy(bytes, at, at, at + 512);
      yield {
        row: 'spliced',
        title: `512 bytes at ${at} of the ${name} copy`,
        bytes: () => bytes,
        states: ['damaged'],
      };
    }
  }
  yield {
    row: 'older copy put back',
    title: 'from before a sign-out',
    bytes: () => others.closed,
    states: ['key-missing', 'wrong-key'],
  };
}

/** Several of these faults at once. Whatever the state, no token may be invented and nothing may crash. */
function* mixtures({ good, others, states }: Specimen, { random, short }: Scene): Iterable<Case> {
  const sources = [good, ...Object.values(others)];
  for (let n = 0; n < (short ? 300 : 5000); n += 1) {
    const pieces = Array.from({ length: 1 + random.below(6) }, () => {
      const source = random.pick(sources);
      const from = random.below(source.length);
      return source.subarray(from, from + random.below(3000));
    });
    const keep = random.below(good.length);
    const bytes = Buffer.concat([good.subarray(0, keep), ...pieces]);
    for (let flip = random.below(3); flip > 0; flip -= 1)
      bytes.writeUInt8(random.below(256), random.below(bytes.length));
    const earlier = states.find((_, index) => index === statesWithin(bytes, good) - 1);
    yield {
      row: 'mixed',
      title: `mixture ${n}`,
      bytes: () => bytes,
      states: ['damaged', 'older', 'ready', 'key-missing', 'wrong-key'],
      ...(earlier === undefined ? {} : { users: earlier }),
    };
  }
}

/** Returns how many of the successively acknowledged states the file still contains, counted from the start without a gap. */
function statesWithin(bytes: Buffer, good: Buffer): number {
  const starts = frameStarts(good);
  return starts.slice(-4).filter((end) => bytes.subarray(0, end).equals(good.subarray(0, end))).length;
}

function framesOf(file: Buffer): Buffer[] {
  const starts = frameStarts(file);
  return starts.slice(0, -1).map((start, index) => file.subarray(start, starts[index + 1]));
}

function same(a: Users, b: Users): boolean {
  const sorted = (users: Users): string => JSON.stringify(Object.entries(users).sort());
  return sorted(a) === sorted(b);
}

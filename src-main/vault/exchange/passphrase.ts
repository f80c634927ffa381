import { PassphraseError } from '../../errors.ts';

/** [Note: passphrase rule] Characters. state/passphrase.ts of the window says so before anything is asked of here. */
const SHORTEST = 12;
/** A passphrase of one key held down has the length and nothing else. */
const FEWEST_DIFFERENT = 5;
const LONGEST = 1024;

/**
 * Refuses what someone who has the exported file would find by trying. Whoever has the file may try for ever: scrypt
 * makes one try cost a second and 256 MB, and the passphrase has to do the rest.
 *
 * @throws PassphraseError `passphrase_weak`
 */
export function assertStrong(passphrase: unknown): asserts passphrase is string {
  if (typeof passphrase !== 'string' || passphrase === '') throw weak('There is no passphrase.');
  const characters = Array.from(passphrase); // whole code points, as they are typed
  if (characters.length < SHORTEST) {
    throw weak(`The passphrase has fewer than ${SHORTEST} characters, which are soon tried.`);
  }
  if (characters.length > LONGEST) throw weak(`The passphrase has more than ${LONGEST} characters.`);
  if (new Set(characters).size < FEWEST_DIFFERENT) {
    throw weak('The passphrase is made of the same few characters, which are soon tried.');
  }
  if (/\p{Cc}|\p{Cs}/u.test(passphrase)) {
    throw weak('The passphrase has a character in it that can’t be typed, such as a line break.');
  }
}

function weak(what: string): PassphraseError {
  return new PassphraseError(
    'passphrase_weak',
    `${what} Nothing was written. Choose a longer one: five random words, or have one made.`,
  );
}

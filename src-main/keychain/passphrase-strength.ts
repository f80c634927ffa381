/**
 * Estimates how many guesses an attacker needs who has the encrypted file and knows how people choose passphrases. scrypt makes one guess
 * cost a second and 256 MB; the passphrase has to do the rest.
 */
import { PassphraseError } from '../errors.ts';

/** [Note: passphrase rule] Lengths in characters. The window's state/passphrase.ts states the rule before the main process checks it. */
const SHORTEST = 12;
const LONGEST = 1024;
/** Bits: at one second per guess, 2^42 guesses take one computer 140,000 years. */
const WEAKEST = 42;

/**
 * Refuses a passphrase that can be guessed. Length alone is not enough: `password1234`, `qwertyuiop12`, a date or one word
 * and a year are refused.
 *
 * @param known names that an attacker tries first, such as those of the accounts
 * @throws PassphraseError `passphrase_weak`
 */
export function assertStrong(
  passphrase: unknown,
  known: readonly string[] = [],
): asserts passphrase is string {
  if (typeof passphrase !== 'string' || passphrase === '') throw weak('There is no passphrase.');
  const characters = Array.from(passphrase); // whole code points, as they are typed
  if (characters.length < SHORTEST) {
    throw weak(`The passphrase has fewer than ${SHORTEST} characters, which are soon guessed.`);
  }
  if (characters.length > LONGEST) throw weak(`The passphrase has more than ${LONGEST} characters.`);
  if (/\p{Cc}|\p{Cs}/u.test(passphrase)) {
    throw weak('The passphrase has a character in it that can’t be typed, such as a line break.');
  }
  if (guessBits(passphrase, known) < WEAKEST) {
    throw weak(
      'The passphrase can be guessed: it is made of common words, names, dates, repetitions or keys in a row.',
    );
  }
}

function weak(what: string): PassphraseError {
  return new PassphraseError(
    'passphrase_weak',
    `${what} Nothing was written. Choose another one: five random words, or let one be generated.`,
  );
}

/** Estimates the number of guesses as a power of two: the cheapest way to compose the passphrase of known parts. */
export function guessBits(passphrase: string, known: readonly string[] = []): number {
  const shown = passphrase.normalize('NFKC');
  const plain = withoutAccents(shown.toLowerCase());
  if (FAMOUS.has(plain.replaceAll(/[^\p{L}\p{N}]/gu, ''))) return 10;
  const names = new Set(known.map((name) => withoutAccents(name.normalize('NFKC').toLowerCase())));
  const best = [0];
  for (let end = 1; end <= plain.length; end++) {
    best[end] = (best[end - 1] ?? 0) + bitsOfCharacter(plain[end - 1] ?? '');
    for (let start = Math.max(0, end - LONGEST_PART); start <= end - 2; start++) {
      const part = bitsOfPart(plain.slice(start, end), plain.slice(0, start), shown.slice(start, end));
      if (names.has(plain.slice(start, end)))
        best[end] = Math.min(best[end] ?? Infinity, (best[start] ?? 0) + 5);
      if (part !== null) best[end] = Math.min(best[end] ?? Infinity, (best[start] ?? 0) + part);
    }
  }
  return best[plain.length] ?? 0;
}

const LONGEST_PART = 40;

/** Each letter stays one character, so that positions in both texts match. */
function withoutAccents(text: string): string {
  return Array.from(text, (character) => character.normalize('NFD').slice(0, character.length)).join('');
}

function bitsOfCharacter(character: string): number {
  if (/[0-9]/.test(character)) return 3.3;
  if (/[a-z]/.test(character)) return 4.7;
  return /[\p{P}\p{Z}\p{S}]/u.test(character) ? 4.5 : 7;
}

/** Returns the cost in bits of guessing this part as a whole; `null` if it is not a known part. */
function bitsOfPart(part: string, before: string, shown: string): number | null {
  const capitals = shown === part ? 0 : 1.5; // first letter or all letters in upper case
  const costs: number[] = [];
  const word = unleet(part);
  const rank = RANKS.get(part) ?? RANKS.get(word);
  if (rank !== undefined) costs.push(Math.log2(rank + 20) + capitals + (RANKS.has(part) ? 0 : 2));
  if (/^\d{2,4}$/.test(part) && (part.length < 4 || /^(?:19|20)\d\d$/.test(part))) {
    costs.push(part.length === 4 ? 6.5 : part.length * 3);
  }
  // A date, in any order, with and without separators.
  if (/^(?:\d{1,2}[./-]?\d{1,2}[./-]?(?:19|20)?\d\d|(?:19|20)\d\d[./-]?\d\d[./-]?\d\d)$/.test(part))
    costs.push(15);
  if (part.length >= 3 && new Set(part).size === 1)
    costs.push(bitsOfCharacter(part[0] ?? '') + Math.log2(part.length));
  if (part.length >= 3 && (isSequence(part) || isKeyboardWalk(part))) costs.push(5 + Math.log2(part.length));
  if (part.length >= 2 && before.includes(part)) costs.push(3 + Math.log2(before.length));
  if (part.length >= 3 && before.includes(reversed(part))) costs.push(4 + Math.log2(before.length));
  // A word in none of the lists: a choice from a vocabulary, or its letters if that is less; tripled if not pronounceable.
  if (/^[a-z]{3,}$/.test(part))
    costs.push(Math.min(13, part.length * 4.7) * (isPronounceable(part) ? 1 : 3) + capitals);
  // In a script of letters, as that of Russian, Greek, Arabic or Korean, too. A sign of other scripts is a word or a syllable.
  if (/^[\p{L}\p{M}]{3,}$/u.test(part) && !/^[a-z]+$/.test(part))
    costs.push(IDEOGRAPHS.test(part) ? part.length * 5 : Math.min(13, part.length * 5) + capitals);
  return costs.length === 0 ? null : Math.min(...costs);
}

const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

function isSequence(part: string): boolean {
  const step = (part.codePointAt(1) ?? 0) - (part.codePointAt(0) ?? 0);
  if (Math.abs(step) !== 1) return false;
  return Array.from(part.slice(1)).every(
    (character, index) => (character.codePointAt(0) ?? 0) - part.charCodeAt(index) === step,
  );
}

const ROWS = [
  '1234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'qazwsxedcrfvtgbyhnujmikolp',
  '147258369',
  'йцукенгшщзхъ',
  'фывапролджэ',
  'ячсмитьбю',
  'ضصثقفغعهخحجد',
  'شسيبلاتنمكط',
  'ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ',
  'ςερτυθιοπ',
  'ασδφγηξκλ',
  'קראטוןםפ',
  'שדגכעיחלךף',
  '!@#$%^&*()',
  '!"§$%&/()=',
];
const WALKS = ROWS.flatMap((row) => [row, reversed(row)]);

function isKeyboardWalk(part: string): boolean {
  return WALKS.some((walk) => walk.includes(part));
}

function reversed(text: string): string {
  return Array.from(text).reverse().join('');
}

/** Whether it may be a word of some language rather than random letters. */
function isPronounceable(part: string): boolean {
  const vowels = part.replaceAll(/[^aeiouy]/g, '').length / part.length;
  return vowels >= 0.2 && vowels <= 0.75 && !/[^aeiouy]{5}|[aeiou]{4}/.test(part);
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '€': 'e',
  '+': 't',
};

function unleet(part: string): string {
  return part.replaceAll(/[0-9@$!€+]/g, (character) => LEET[character] ?? character);
}

/** Sentences that everybody knows, without spaces. */
const FAMOUS = new Set([
  'correcthorsebatterystaple',
  'correctbatteryhorsestaple',
  'thequickbrownfoxjumpsoverthelazydog',
  'tobeornottobe',
  'tobeornottobethatisthequestion',
  'maytheforcebewithyou',
  'iloveyouforever',
  'letmeinplease',
  'loremipsumdolorsitamet',
  'onceuponatime',
  'hellodarknessmyoldfriend',
  'winteriscoming',
  'openuptheskyplease',
  'franzjagtimkomplettverwahrlostentaxiquerdurchbayern',
]);

/** Common passwords, names and words in the order in which they are tried. */
const COMMON =
  'password passwort пароль contraseña kennwort секретный секрет привет любовь мой моя люблю тебя александр наталья москва россия ' +
  'سلام حبيبي 비밀번호 사랑해 κωδικος סיסמה motdepasse contrasena senha wachtwoord passord losenord haslo heslo parola parol sifre salasana ' +
  'admin administrator welcome willkommen bienvenue bienvenido benvenuto letmein login master qwerty qwertz azerty ' +
  'dragon monkey iloveyou ichliebedich teamo tequiero jetaime tiamo princess prinzessin sunshine sonnenschein football ' +
  'fussball futbol calcio baseball basketball hockey soccer superman batman spiderman pokemon starwars shadow michael ' +
  'jennifer jordan hunter killer trustno secret geheim secreto secret test tester testing guest user root default ' +
  'changeme change hello hallo hola bonjour ciao freedom whatever computer internet server system access pass word ' +
  'keyboard phone mobile samsung apple google microsoft windows android facebook twitter instagram youtube linkedin ' +
  'amazon netflix spotify github token tokenkeep keychain vault keyring secure security sicherheit cache account konto ' +
  'charlie daniel thomas andrew joshua matthew robert george anthony william alexander martin peter stefan andreas ' +
  'christian sebastian nicole jessica ashley amanda michelle sarah hannah anna maria laura julia sophie emma lisa ' +
  'daniela claudia sandra andrea barbara richard patrick benjamin samuel david john james james paul mark steven kevin ' +
  'brian justin brandon tyler austin chelsea liverpool arsenal manchester barcelona madrid juventus bayern dortmund ' +
  'schalke werder united city real milan inter yankees lakers cowboys steelers eagles london paris berlin munich ' +
  'muenchen hamburg wien zurich madrid roma moscow newyork chicago texas dallas boston california canada america ' +
  'england france germany deutschland italia espana brasil india china japan australia spring summer autumn winter ' +
  'fruehling sommer herbst printemps ete automne hiver primavera verano otono invierno january february march april ' +
  'june july august september october november december januar februar maerz mai juni juli oktober dezember monday ' +
  'tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag flower ' +
  'butterfly schmetterling rainbow angel engel devil heaven diamond silver golden gold black white green orange purple ' +
  'yellow blue red lovely lover love liebe amor amour baby honey schatz sweet cookie chocolate schokolade cheese banana ' +
  'apple orange pepper ginger coffee kaffee pizza beer whiskey vodka horse pferd tiger lion eagle falcon wolf bear cat ' +
  'dog hund katze mouse maus rabbit hase turtle dolphin shark panther mustang ferrari porsche mercedes bmw audi toyota ' +
  'honda yamaha harley corvette camaro jaguar maverick phoenix ranger merlin wizard magic gandalf matrix thunder storm ' +
  'lightning blade sword knight ninja samurai pirate rocket star stern stars moon mond sun sonne sky night nacht day ' +
  'happy lucky smile friend friends freund family familie mother mutter father vater sister brother bruder daughter son ' +
  'school schule college university student teacher lehrer doctor police soldier army navy marine music musik guitar ' +
  'piano metal rock jazz dance party game games gamer player winner champion number one two three four five six seven ' +
  'eight nine ten eins zwei drei vier fuenf sechs sieben acht neun zehn money geld dollar euro rich king queen koenig ' +
  'prince boss chief captain power energy fire water feuer wasser earth wind snow schnee ice rain river ocean mountain ' +
  'forest garden house haus home zuhause office work arbeit business company firma private privat public backup export ' +
  'import data daten file files document desktop laptop notebook mail email web site page blog news info support service ' +
  'help please thanks danke merci gracias the and you for with this that from have not are was his her our your mine my ' +
  'me i a an is it to of in on at by or no yes ja nein nicht und der die das ich du er sie wir ihr mein dein le la les ' +
  'un une el los las de du des et en abc xyz foo bar baz foobar asdf zxcv qwer pass1 p1 demo sample example beispiel ' +
  'temp temporary new neu old alt good gut bad best great super mega ultra hyper cool sexy hot boy girl man woman god ' +
  'jesus christ church bible amen peace frieden hope faith glory life leben live death tod forever always never again';
const RANKS = new Map<string, number>();
for (const word of COMMON.split(' ').map(withoutAccents))
  if (word.length > 2 && !RANKS.has(word)) RANKS.set(word, RANKS.size + 1);

/** The table of the command's verbs, which determines `--help`, the completions, and the accepted arguments. */
import type { Option, Verb } from './arguments.ts';

const vault: Option = {
  value: 'FILE',
  says: 'the vault to use. Default: $TOKENKEEP_VAULT, else that of the desktop app',
};
const json: Option = { says: 'print JSON' };
const file: Option = {
  value: 'FILE',
  many: true,
  says: 'also this cache document or vault; may be given more than once',
};

const ACCOUNT = 'user name or home account id, with @ and the provider where several accounts share it';

/** Every verb, in the order in which they are listed. */
export const VERBS = {
  list: {
    operands: '',
    says: 'List who is signed in on this computer.',
    details:
      'Reads the vault and the caches of other programs that can be read without asking for a password. Prints no token.',
    options: { json, vault, file, 'vault-only': { says: 'leave the caches of other programs alone' } },
    least: 0,
    most: 0,
  },
  show: {
    operands: 'ACCOUNT',
    says: 'Show one account and its tokens, without their secrets.',
    details: `ACCOUNT is the ${ACCOUNT}.`,
    options: { json, vault, file, all: { says: 'also expired tokens and ID tokens' } },
    least: 1,
    most: 1,
  },
  get: {
    operands: '',
    says: 'Print an access token. It is refreshed first if it is due.',
    details:
      'Refreshing happens once among all programs that use the vault. The token is not printed to a terminal without --reveal.\n\n' +
      'Example:\n  tokenkeep get --account dana@contoso.example --scope https://management.azure.com/.default --header |\n' +
      "    curl --header @- 'https://management.azure.com/subscriptions?api-version=2022-12-01'",
    options: {
      account: { value: 'ACCOUNT', says: ACCOUNT },
      scope: { value: 'SCOPE', many: true, says: 'what the token is for; may be given more than once' },
      client: { value: 'ID', says: 'client id; needed where several apps could get the token' },
      tenant: { value: 'ID', says: 'tenant; needed where the account is a guest elsewhere' },
      header: { says: 'print a line "Authorization: Bearer …"' },
      json: { says: 'print the token with its scopes and its expiry as JSON' },
      refresh: { says: 'refresh even if the cached token is good' },
      reveal: { says: 'print to a terminal, too' },
      vault,
    },
    least: 0,
    most: 0,
  },
  signout: {
    operands: '[ACCOUNT]',
    says: 'Sign an account out of the vault and of the caches of other programs.',
    details:
      `ACCOUNT is the ${ACCOUNT}. ` +
      'Lists the places first and asks. In a terminal, you can then undo the sign-out at other programs: what was removed is kept in ' +
      'memory until you answer. A sign-out of the vault can’t be undone. No token is revoked at the provider: what a program holds in ' +
      'memory works until it expires.',
    options: {
      expired: { says: 'every account of the vault that has to sign in again' },
      yes: { short: '-y', says: 'do not ask' },
      'vault-only': { says: 'leave the caches of other programs alone' },
      json,
      vault,
      file,
    },
    least: 0,
    most: 1,
  },
  decode: {
    operands: '[TOKEN|-]',
    says: 'Show what a token says. Checks no signature, and keeps and sends nothing.',
    details:
      'Reads standard input where no token is given. Takes a token, an Authorization header or a token response.',
    options: { json },
    least: 0,
    most: 1,
  },
  sources: {
    operands: '',
    says: 'List the vault and the caches of other programs, with their state.',
    options: { json, vault, file },
    least: 0,
    most: 0,
  },
  doctor: {
    operands: '',
    says: 'Look for duplicates, stale tokens and broken entries in the vault.',
    options: { json, vault, repair: { says: 'repair what can be repaired without a loss' } },
    least: 0,
    most: 0,
  },
  export: {
    operands: 'FILE',
    says: 'Write an encrypted copy of the vault (age format, with a passphrase).',
    options: {
      'passphrase-stdin': { says: 'read the passphrase from the first line of standard input' },
      replace: { says: 'replace FILE without asking, if it exists' },
      vault,
    },
    least: 1,
    most: 1,
  },
  import: {
    operands: 'FILE',
    says: 'Add the accounts and tokens of an export or of an MSAL cache document to the vault.',
    options: {
      'passphrase-stdin': { says: 'read the passphrase from the first line of standard input' },
      vault,
    },
    least: 1,
    most: 1,
  },
  verify: {
    operands: '',
    says: 'Read every byte of the vault and check it. Changes nothing.',
    options: { json, vault },
    least: 0,
    most: 0,
  },
  credential: {
    operands: 'get|store|erase',
    says: 'Answer git’s credential protocol with an access token.',
    details:
      'Example, for hosts that take bearer tokens. The empty helper leaves out those that git has for every host: git offers each ' +
      'what any of them answered, and “store” would write the token to disk.\n' +
      "  git config --replace-all credential.https://dev.azure.com.helper ''\n" +
      "  git config --add credential.https://dev.azure.com.helper '!tokenkeep credential --account dana@contoso.example --scope 499b84ac-1321-427f-aa17-267ca6975798/.default'",
    options: {
      account: { value: 'ACCOUNT', says: ACCOUNT },
      scope: { value: 'SCOPE', many: true, says: 'what the token is for' },
      client: { value: 'ID', says: 'client id' },
      tenant: { value: 'ID', says: 'tenant' },
      vault,
    },
    least: 1,
    most: 1,
  },
  completion: {
    operands: 'bash|zsh|fish',
    says: 'Print a completion script for a shell.',
    details: 'Example, for bash:\n  source <(tokenkeep completion bash)',
    options: {},
    least: 1,
    most: 1,
  },
} satisfies Readonly<Record<string, Verb>>;

export type VerbName = keyof typeof VERBS;

export function isVerb(word: string): word is VerbName {
  return Object.hasOwn(VERBS, word);
}

/** Returns the output of `tokenkeep --help`. */
export function help(): string {
  const width = Math.max(
    ...Object.entries(VERBS).map(([name, { operands }]) => `${name} ${operands}`.trim().length),
  );
  const lines = Object.entries(VERBS).map(
    ([name, { operands, says }]) => `  ${`${name} ${operands}`.trim().padEnd(width)}  ${says}`,
  );
  return [
    'Usage: tokenkeep VERB [OPTIONS]',
    '',
    'Shows who is signed in on this computer, gets tokens and signs accounts out.',
    '',
    ...lines,
    '',
    'tokenkeep VERB --help tells more about a verb. tokenkeep --version prints the version.',
    '',
    'Exit codes: 0 done, 1 failed, 2 invalid arguments, 3 not found, 4 sign-in needed, 5 still signed in somewhere, 6 keychain locked,',
    '7 no keychain, 8 findings, 9 not printed to a terminal, 10 key missing, 11 wrong key, 12 damaged, 13 made by a newer version,',
    '14 read-only, 15 unreadable, 16 busy, 17 older than what was seen, 18 not confirmed, 19 a copy of another vault.',
    '',
  ].join('\n');
}

/** Returns the output of `tokenkeep VERB --help`. */
export function helpOf(name: VerbName): string {
  const verb: Verb = VERBS[name];
  const rows = Object.entries(verb.options).map(([option, { value, short, says }]) => {
    const left = `${short === undefined ? '' : `${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`;
    return [left, says] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return [
    `Usage: tokenkeep ${name}${verb.operands === '' ? '' : ` ${verb.operands}`}${rows.length === 0 ? '' : ' [OPTIONS]'}`,
    '',
    verb.says,
    ...(verb.details === undefined ? [] : ['', verb.details]),
    ...(rows.length === 0 ? [] : ['', ...rows.map(([left, says]) => `  ${left.padEnd(width)}  ${says}`)]),
    '',
  ].join('\n');
}

/** Returns a completion script for the verbs and their options. */
export function completion(shell: string): string | undefined {
  const verbs = Object.keys(VERBS);
  /** Returns the words that an operand can be, such as `get`, `store` and `erase`. */
  const operands = (name: string): string[] =>
    isVerb(name) && /^[a-z]+(?:\|[a-z]+)+$/.test(VERBS[name].operands) ? VERBS[name].operands.split('|') : [];
  const options = (name: string): string[] =>
    isVerb(name)
      ? [...operands(name), ...[...Object.keys(VERBS[name].options), 'help'].map((option) => `--${option}`)]
      : [];
  if (shell === 'bash') {
    const cases = verbs.map((name) => `      ${name}) words="${options(name).join(' ')}" ;;`);
    return [
      '_tokenkeep() {',
      '  local words="" current="${COMP_WORDS[COMP_CWORD]}"',
      `  if [ "$COMP_CWORD" -eq 1 ]; then words="${[...verbs, '--help', '--version'].join(' ')}"`,
      '  else',
      '    case "${COMP_WORDS[1]}" in',
      ...cases,
      '    esac',
      '  fi',
      '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
      '  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))',
      '}',
      'complete -F _tokenkeep tokenkeep',
      '',
    ].join('\n');
  }
  if (shell === 'zsh') {
    const cases = verbs.map((name) => `    ${name}) compadd -- ${options(name).join(' ')}; _files ;;`);
    return [
      '#compdef tokenkeep',
      '_tokenkeep() {',
      `  if (( CURRENT == 2 )); then compadd -- ${[...verbs, '--help', '--version'].join(' ')}; return; fi`,
      '  case $words[2] in',
      ...cases,
      '  esac',
      '}',
      'compdef _tokenkeep tokenkeep',
      '',
    ].join('\n');
  }
  if (shell === 'fish') {
    const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
    return [
      'complete -c tokenkeep -f',
      ...verbs.map(
        (name) =>
          `complete -c tokenkeep -n __fish_use_subcommand -a ${name} -d ${quoted(isVerb(name) ? VERBS[name].says : '')}`,
      ),
      ...verbs.flatMap((name) => [
        ...(operands(name).length === 0
          ? []
          : [
              `complete -c tokenkeep -n '__fish_seen_subcommand_from ${name}' -a '${operands(name).join(' ')}'`,
            ]),
        ...(isVerb(name) && VERBS[name].operands === 'FILE'
          ? [`complete -c tokenkeep -n '__fish_seen_subcommand_from ${name}' -F`]
          : []),
      ]),
      ...verbs.flatMap((name) =>
        (isVerb(name) ? Object.entries(VERBS[name].options as Verb['options']) : []).map(
          ([option, { says, value }]) =>
            `complete -c tokenkeep -n '__fish_seen_subcommand_from ${name}' -l ${option}${value === undefined ? '' : value === 'FILE' ? ' -r -F' : ' -r'} -d ${quoted(says)}`,
        ),
      ),
      '',
    ].join('\n');
  }
  return undefined;
}

/**
 * The table of programs whose sign-ins can be found, and the locations of their caches. Other files of this folder read and change the
 * caches.
 *
 * docs/sources.md names the source of each fact.
 */
import { posix, win32 } from 'node:path';

/** The environment in which locations are resolved. */
export interface Computer {
  readonly platform: NodeJS.Platform;
  /** Absolute path of the user's home folder. */
  readonly home: string;
  /** Environment variables: several programs allow their folder to be moved. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a cache is protected on disk. */
export type Sealing =
  | 'none' // a plain file
  | 'dpapi' // Windows, for the current user
  | 'secret-service' // Linux: the desktop's keyring
  | 'keychain' // macOS
  | 'key-in-keyring' // a file, encrypted by the program under a key that it keeps in the keyring or keychain
  | 'vault' // a vault of Tokenkeep, whose key is in the system keychain
  | 'program'; // by the program itself; other programs cannot open it

/** How a program locks its cache while it writes. The lock file is named after the cache. */
export type Locking =
  | 'lockfile' // FILE.lockfile: created exclusively (MSAL Python, Node) or flock'ed (MSAL.NET)
  | 'lock' // FILE.lock, flock'ed (azd)
  | 'none';

/** A location where a program may store sign-ins. */
export interface Place {
  /** Absolute path of the cache, or of the file whose time shows that a keychain item has changed. */
  readonly file: string;
  readonly sealing: Sealing;
  readonly locking: Locking;
  /**
   * `msal`: a document of the MSAL schema. `vault`: a vault of Tokenkeep. The other kinds only name the accounts; no token is read from
   * them.
   */
  readonly content:
    | 'msal'
    | 'vault'
    | 'github-hosts'
    | 'aws-sso'
    | 'gcloud-adc'
    | 'docker-config'
    | 'mcp-remote'
    | 'azure-service-principals'
    | 'claude-code'
    | 'gemini'
    | 'vscode-state'
    | 'gcloud-credentials'
    | 'broker'
    | 'sealed';
  /** The attributes of the Secret Service item; base64 if .NET writes it. */
  readonly item?: {
    readonly attributes: Readonly<Record<string, string>>;
    readonly encoding: 'text' | 'base64';
  };
  /** The item of the macOS keychain. */
  readonly password?: { readonly service: string; readonly account: string };
  /** Where the key of the file may be, as keytar names it: the program has had several names. */
  readonly keys?: {
    readonly store: 'secret-service' | 'keychain';
    readonly services: readonly string[];
    readonly account: string;
  };
  /** A list of subscriptions that also names the account (Azure CLI). */
  readonly profile?: string;
  /** All files that signal changes of the same item: programs that share it use different names, and each looks at its own. */
  readonly signals?: readonly string[];
  /** Each file in the folder is a cache, because their names are not known in advance. */
  readonly isFolder?: boolean;
}

/** How to sign out of a program. */
export type Leaving =
  | { readonly by: 'tokenkeep'; readonly left?: string }
  /** `NAME`, `CLIENT_ID` and `HOST` in the command stand for those of a sign-in. */
  | { readonly by: 'command'; readonly command: string }
  | {
      readonly by: 'program';
      readonly where: string;
      /** A link that opens the program, or the part of the system, in which the user signs out. */
      readonly opens?: { readonly name: string; readonly url: string };
    };

/** A program, or a folder that several programs share. */
export interface Program {
  /** Used on the command line and as the badge of an account. */
  readonly id: string;
  readonly name: string;
  /** Other programs that use the same cache. */
  readonly sharedBy?: readonly string[];
  readonly leaving: Leaving;
  readonly places: (computer: Computer) => readonly Place[];
}

interface Folders {
  readonly home: string;
  /** Windows: `%LOCALAPPDATA%`. */
  readonly local: string;
  /** Windows: `%APPDATA%`; Linux: `$XDG_CONFIG_HOME`; macOS: Application Support. */
  readonly config: string;
  readonly join: (...parts: string[]) => string;
  readonly env: (name: string) => string | undefined;
}

function foldersOf({ platform, home, env }: Computer): Folders {
  const path = platform === 'win32' ? win32 : posix;
  const join = (...parts: string[]): string => path.join(...parts);
  // A relative path in a variable would depend on Tokenkeep's working directory.
  const variable = (name: string): string | undefined => {
    const value = env[name];
    return value !== undefined && path.isAbsolute(value) ? value : undefined;
  };
  const local =
    platform === 'win32'
      ? (variable('LOCALAPPDATA') ?? join(home, 'AppData', 'Local'))
      : (variable('XDG_DATA_HOME') ?? join(home, '.local', 'share'));
  const config =
    platform === 'win32'
      ? (variable('APPDATA') ?? join(home, 'AppData', 'Roaming'))
      : platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : (variable('XDG_CONFIG_HOME') ?? join(home, '.config'));
  return { home, local, config, join, env: variable };
}

function gcloudFolder(computer: Computer): string {
  const { config, join, env } = foldersOf(computer);
  const own =
    computer.platform === 'win32' ? join(config, 'gcloud') : join(computer.home, '.config', 'gcloud');
  return env('CLOUDSDK_CONFIG') ?? own;
}

const DEVELOPER_CACHE = 'Microsoft.Developer.IdentityService';

/** Names of caches in the `.IdentityService` folders: Azure.Identity and Azure PowerShell, Graph PowerShell, Azure MCP Server. */
const CACHE_NAMES = ['msal.cache', 'mg.msal.cache', 'azure-mcp-msal.cache'].flatMap((name) => [
  name,
  `${name}.nocae`,
  `${name}.cae`,
]);

/** Its link handler opens a window, or brings one to the front. */
const VS_CODE = { name: 'VS Code', url: 'vscode://' };

/** All known programs, in display order. */
export const PROGRAMS: readonly Program[] = [
  {
    id: 'azure-cli',
    name: 'Azure CLI',
    sharedBy: ['Terraform', 'Bicep', 'Azure Functions Core Tools', 'AzureCliCredential of the Azure SDKs'],
    leaving: { by: 'tokenkeep' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      const folder = env('AZURE_CONFIG_DIR') ?? join(home, '.azure');
      const profile = join(folder, 'azureProfile.json');
      const plain = { locking: 'lockfile', content: 'msal', profile } as const;
      const places: Place[] = [{ file: join(folder, 'msal_token_cache.json'), sealing: 'none', ...plain }];
      if (computer.platform === 'win32')
        places.push({ file: join(folder, 'msal_token_cache.bin'), sealing: 'dpapi', ...plain });
      if (computer.platform === 'linux')
        places.push(
          {
            file: join(folder, 'msal_token_cache.sig'),
            sealing: 'secret-service',
            item: {
              attributes: { 'xdg:schema': 'Microsoft Azure CLI', type: 'Token cache' },
              encoding: 'text',
            },
            ...plain,
          },
          {
            file: join(folder, 'msal_token_cache.bin'),
            sealing: 'secret-service',
            item: {
              attributes: { 'xdg:schema': 'my_schema_name', my_attr1: 'foo', my_attr2: 'bar' },
              encoding: 'text',
            },
            ...plain,
          },
        );
      if (computer.platform === 'darwin')
        places.push(
          {
            file: join(folder, 'msal_token_cache.sig'),
            sealing: 'keychain',
            password: { service: 'Microsoft Azure CLI', account: 'Token cache' },
            ...plain,
          },
          {
            file: join(folder, 'msal_token_cache.bin'),
            sealing: 'keychain',
            password: { service: 'my_service_name', account: 'my_account_name' },
            ...plain,
          },
        );
      return places;
    },
  },
  {
    id: 'azure-cli-apps',
    name: 'Azure CLI, service principals',
    leaving: { by: 'command', command: 'az logout --username CLIENT_ID' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      const file = join(env('AZURE_CONFIG_DIR') ?? join(home, '.azure'), 'service_principal_entries.json');
      return [{ file, sealing: 'none', locking: 'none', content: 'azure-service-principals' }];
    },
  },
  {
    id: 'azd',
    name: 'Azure Developer CLI',
    leaving: { by: 'tokenkeep' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      const folder = join(env('AZD_CONFIG_DIR') ?? join(home, '.azd'), 'auth', 'msal');
      const name = computer.platform === 'win32' ? 'cache.bin' : 'cache.json';
      const sealing = computer.platform === 'win32' ? 'dpapi' : 'none';
      return [{ file: join(folder, name), sealing, locking: 'lock', content: 'msal' }];
    },
  },
  {
    id: 'identity-service',
    name: 'Shared developer cache',
    sharedBy: [
      'Azure PowerShell',
      'Graph PowerShell',
      'Azure.Identity',
      'Azure Artifacts',
      'Git Credential Manager',
    ],
    leaving: { by: 'tokenkeep' },
    places: (computer) => {
      const { home, local, config, join } = foldersOf(computer);
      const folders = [
        ...new Set([
          join(local, '.IdentityService'),
          join(home, '.local', 'share', '.IdentityService'),
          join(home, '.local', '.IdentityService'),
          // .NET 8 and later on macOS.
          ...(computer.platform === 'darwin' ? [join(config, '.IdentityService')] : []),
          join(home, '.IdentityService'),
        ]),
      ];
      const files: Place[] = folders.map((file) => ({
        file,
        isFolder: true,
        sealing: computer.platform === 'win32' ? 'dpapi' : 'none',
        locking: 'lockfile',
        content: 'msal',
      }));
      const [first = join(local, '.IdentityService')] = folders;
      const signalsOf = (name: string): string[] => folders.map((folder) => join(folder, name));
      const shared = { file: join(first, 'msal.cache'), locking: 'lockfile', content: 'msal' } as const;
      if (computer.platform === 'linux')
        return [
          ...files,
          {
            ...shared,
            signals: CACHE_NAMES.flatMap(signalsOf),
            sealing: 'secret-service',
            item: { attributes: { MsalClientID: DEVELOPER_CACHE }, encoding: 'base64' },
          },
        ];
      if (computer.platform === 'darwin')
        return [
          ...files,
          // Git Credential Manager, Azure Artifacts, Azure.Identity for Python and JavaScript.
          {
            ...shared,
            signals: CACHE_NAMES.flatMap(signalsOf),
            sealing: 'keychain',
            password: { service: DEVELOPER_CACHE, account: 'MSALCache' },
          },
          // .NET programs: an item for each cache, named after the file.
          ...CACHE_NAMES.map(
            (name): Place => ({
              ...shared,
              file: join(first, name),
              signals: signalsOf(name),
              sealing: 'keychain',
              password: { service: DEVELOPER_CACHE, account: name },
            }),
          ),
        ];
      return files;
    },
  },
  {
    id: 'azure-identity-js',
    name: 'Azure Identity for JavaScript',
    leaving: { by: 'tokenkeep' },
    places: (computer) => {
      // On Windows and macOS it shares the developer cache.
      if (computer.platform !== 'linux') return [];
      const { home, join } = foldersOf(computer);
      const folder = join(home, '.IdentityService');
      return [
        {
          file: join(folder, 'msal.cache'),
          signals: ['msal.cache.nocae', 'msal.cache.cae', 'msal.cache'].map((name) => join(folder, name)),
          sealing: 'secret-service',
          locking: 'lockfile',
          content: 'msal',
          // keytar's schema, which names a service and an account.
          item: {
            attributes: {
              'xdg:schema': 'org.freedesktop.Secret.Generic',
              service: DEVELOPER_CACHE,
              account: 'MSALCache',
            },
            encoding: 'text',
          },
        },
      ];
    },
  },
  {
    id: 'm365',
    name: 'CLI for Microsoft 365',
    leaving: {
      by: 'tokenkeep',
      left: 'Its list of connections still names the account until `m365 logout`.',
    },
    places: (computer) => {
      const { home, join } = foldersOf(computer);
      return [{ file: join(home, '.cli-m365-msal.json'), sealing: 'none', locking: 'none', content: 'msal' }];
    },
  },
  {
    id: 'pnp-powershell',
    name: 'PnP PowerShell',
    leaving: { by: 'tokenkeep' },
    places: (computer) => {
      const { home, local, join } = foldersOf(computer);
      const folder = computer.platform === 'win32' ? local : home;
      return [
        {
          file: join(folder, '.m365pnppowershell', 'pnp.msal.cache'),
          sealing:
            computer.platform === 'win32'
              ? 'dpapi'
              : computer.platform === 'darwin'
                ? 'keychain'
                : 'secret-service',
          locking: 'lockfile',
          content: 'msal',
          item: {
            attributes: { 'xdg:schema': 'pnp.powershell.tokencache', Version: '1', Product: 'PnPPowerShell' },
            encoding: 'base64',
          },
          password: {
            service: 'pnp.powershell.tokencache.service',
            account: 'pnp.powershell.tokencache.account',
          },
        },
      ];
    },
  },
  {
    id: 'teams-toolkit',
    name: 'Teams Toolkit',
    sharedBy: ['Microsoft 365 Agents Toolkit'],
    leaving: { by: 'tokenkeep', left: 'It keeps the account’s id, without a token, until the next sign-in.' },
    places: ({ platform, ...computer }) => {
      const { home, join } = foldersOf({ platform, ...computer });
      return ['azure', 'm365', 'appStudio'].map((account) => ({
        file: join(home, '.fx', 'account', `token.cache.${account}.json`),
        sealing: 'key-in-keyring',
        locking: 'none',
        content: 'msal',
        keys: {
          store: platform === 'linux' ? 'secret-service' : 'keychain',
          services: [
            'Microsoft Microsoft 365 Agents Toolkit',
            'Microsoft 365 Agents Toolkit',
            'Microsoft Teams Toolkit',
          ],
          account,
        },
      }));
    },
  },
  {
    id: 'pac',
    name: 'Power Platform CLI',
    leaving: { by: 'command', command: 'pac auth delete' },
    places: (computer) => {
      const { local, join } = foldersOf(computer);
      return [
        {
          file: join(local, 'Microsoft', 'PowerAppsCli', 'tokencache_msalv3.dat'),
          sealing: 'program',
          locking: 'none',
          content: 'sealed',
        },
      ];
    },
  },
  {
    id: 'broker',
    name: 'Accounts of this computer',
    sharedBy: ['Microsoft Edge', 'Intune', 'Himmelblau'],
    leaving: {
      by: 'program',
      where:
        'In the Intune portal, remove this device, or ask your administrator. With Himmelblau, run aad-tool.',
    },
    places: (computer) => {
      if (computer.platform !== 'linux') return [];
      const { local, join } = foldersOf(computer);
      // The files that tell the session bus that there is a broker.
      return ['/usr/share', local].map((folder) => ({
        file: join(folder, 'dbus-1', 'services', 'com.microsoft.identity.broker1.service'),
        sealing: 'program',
        locking: 'none',
        content: 'broker',
      }));
    },
  },
  {
    id: 'windows-accounts',
    name: 'Windows accounts',
    sharedBy: ['Office', 'Teams', 'OneDrive', 'Storage Explorer'],
    leaving: {
      by: 'program',
      where: 'In Windows, open Settings, Accounts, Access work or school, or Email & accounts.',
      opens: { name: 'Settings', url: 'ms-settings:emailandaccounts' },
    },
    places: (computer) => {
      if (computer.platform !== 'win32') return [];
      const { local, join } = foldersOf(computer);
      return ['OneAuth', 'IdentityCache', 'TokenBroker'].map((name) => ({
        file: join(local, 'Microsoft', name),
        sealing: 'program',
        locking: 'none',
        content: 'sealed',
      }));
    },
  },
  {
    id: 'vscode',
    name: 'VS Code',
    leaving: { by: 'program', where: 'In VS Code, open Accounts and choose Sign Out.', opens: VS_CODE },
    places: (computer) => {
      const { config, join } = foldersOf(computer);
      const file = join(config, 'Code', 'User', 'globalStorage', 'state.vscdb');
      return [{ file, sealing: 'program', locking: 'none', content: 'vscode-state' }];
    },
  },
  {
    id: 'gh',
    name: 'GitHub CLI',
    leaving: { by: 'command', command: 'gh auth logout -h HOST -u NAME' },
    places: (computer) => {
      const { config, join, env } = foldersOf(computer);
      const folder =
        env('GH_CONFIG_DIR') ??
        (computer.platform === 'darwin'
          ? join(computer.home, '.config', 'gh')
          : join(config, computer.platform === 'win32' ? 'GitHub CLI' : 'gh'));
      return [{ file: join(folder, 'hosts.yml'), sealing: 'none', locking: 'none', content: 'github-hosts' }];
    },
  },
  {
    id: 'aws',
    name: 'AWS CLI',
    leaving: { by: 'command', command: 'aws sso logout' },
    places: (computer) => {
      const { home, join } = foldersOf(computer);
      return [
        {
          file: join(home, '.aws', 'sso', 'cache'),
          isFolder: true,
          sealing: 'none',
          locking: 'none',
          content: 'aws-sso',
        },
      ];
    },
  },
  {
    id: 'gcloud',
    name: 'Google Cloud CLI',
    leaving: { by: 'command', command: 'gcloud auth revoke NAME' },
    places: (computer) => {
      const file = foldersOf(computer).join(gcloudFolder(computer), 'credentials.db');
      return [{ file, sealing: 'none', locking: 'none', content: 'gcloud-credentials' }];
    },
  },
  {
    id: 'gcloud-adc',
    name: 'Google Cloud, application default credentials',
    leaving: { by: 'command', command: 'gcloud auth application-default revoke' },
    places: (computer) => {
      const name = 'application_default_credentials.json';
      const file = foldersOf(computer).join(gcloudFolder(computer), name);
      return [{ file, sealing: 'none', locking: 'none', content: 'gcloud-adc' }];
    },
  },
  {
    id: 'docker',
    name: 'Docker',
    leaving: { by: 'command', command: 'docker logout NAME' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      return [
        {
          file: join(env('DOCKER_CONFIG') ?? join(home, '.docker'), 'config.json'),
          sealing: 'none',
          locking: 'none',
          content: 'docker-config',
        },
      ];
    },
  },
  {
    id: 'claude-code',
    name: 'Claude Code',
    leaving: { by: 'program', where: 'In Claude Code, enter /logout, and /mcp for each server.' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      const file = join(env('CLAUDE_CONFIG_DIR') ?? join(home, '.claude'), '.credentials.json');
      return [{ file, sealing: 'none', locking: 'none', content: 'claude-code' }];
    },
  },
  {
    id: 'gemini-cli',
    name: 'Gemini CLI',
    leaving: { by: 'program', where: 'In Gemini CLI, enter /auth.' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      const file = join(env('GEMINI_CLI_HOME') ?? home, '.gemini', 'oauth_creds.json');
      return [{ file, sealing: 'none', locking: 'none', content: 'gemini' }];
    },
  },
  {
    id: 'mcp-remote',
    name: 'mcp-remote',
    leaving: { by: 'program', where: 'Delete the server’s file in the folder of mcp-remote.' },
    places: (computer) => {
      const { home, join, env } = foldersOf(computer);
      return [
        {
          file: env('MCP_REMOTE_CONFIG_DIR') ?? join(home, '.mcp-auth'),
          isFolder: true,
          sealing: 'none',
          locking: 'none',
          content: 'mcp-remote',
        },
      ];
    },
  },
];

/** Lists the sign-ins of programs that do not use MSAL documents. Reads names and expiry times, never tokens. */
import { basename } from 'node:path';
import { filled, isRecord } from '../cache/json.ts';
import type { Place } from './programs.ts';
import { keysIn } from './sqlite.ts';

/** A sign-in of another program. */
export interface NamedSignIn {
  /** The name that the program uses: an account, a host or a start URL. */
  readonly name: string;
  /** The host or server. */
  readonly at?: string;
  /** Expiry in seconds since the epoch; absent if unknown. */
  readonly expiresOn?: number;
}

/** Kinds of contents in SQLite databases, of which only the keys of one table are read. */
export type KeyedContent = 'vscode-state' | 'gcloud-credentials';

/** The tables whose keys name the sign-ins. */
const TABLES: Readonly<Record<KeyedContent, string>> = {
  'vscode-state': 'ItemTable',
  'gcloud-credentials': 'credentials',
};

export function isKeyed(content: Place['content']): content is KeyedContent {
  return Object.hasOwn(TABLES, content);
}

/** @returns null if the file is not the program's database */
export async function namesInDatabase(content: KeyedContent, file: string): Promise<NamedSignIn[] | null> {
  const keys = await keysIn(file, TABLES[content]);
  if (keys === null) return null;
  if (content === 'gcloud-credentials') return keys.map((name) => ({ name, at: 'googleapis.com' }));
  const found = new Map<string, NamedSignIn>();
  for (const key of keys) {
    // The program records who uses an account under `PROVIDER-ACCOUNT-usages`, until the account is signed out.
    const [, provider = '', name = ''] = VSCODE_ACCOUNT.exec(key) ?? [];
    if (name !== '') found.set(`${name} ${provider}`, { name, at: VSCODE_PROVIDERS[provider] ?? provider });
  }
  return [...found.values()];
}

const VSCODE_ACCOUNT = /^(microsoft-sovereign-cloud|microsoft|github-enterprise|github)-(.+)-usages$/;
const VSCODE_PROVIDERS: Readonly<Record<string, string>> = {
  microsoft: 'Microsoft',
  'microsoft-sovereign-cloud': 'Microsoft, sovereign cloud',
  github: 'github.com',
  'github-enterprise': 'GitHub Enterprise',
};

/** @returns null if the text is not in the program's format */
export function namesIn(
  content: Exclude<Place['content'], 'msal' | 'vault' | 'sealed' | 'broker' | KeyedContent>,
  text: string,
  file: string,
): NamedSignIn[] | null {
  if (content === 'github-hosts') return githubHosts(text);
  if (content === 'azure-service-principals') return servicePrincipals(text);
  const json = parsed(text);
  if (json === null) return null;
  if (content === 'claude-code') return claudeSignIns(json);
  if (content === 'gemini') return geminiSignIn(json);
  if (content === 'aws-sso') return awsSession(json);
  if (content === 'gcloud-adc') return googleCredentials(json);
  if (content === 'docker-config') return dockerHosts(json);
  return mcpTokens(json, file);
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  const value = jsonIn(text);
  return isRecord(value) ? value : null;
}

/** @returns undefined if the text is not JSON */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/**
 * `hosts.yml` is two levels deep: hosts, and below them `user:` or a map `users:`. A YAML parser for these lines would be larger than the
 * rest of this folder.
 */
function githubHosts(text: string): NamedSignIn[] | null {
  const names = new Map<string, NamedSignIn>();
  let host = '';
  let users = -1;
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const [, spaces = '', key = '', value = ''] = /^( *)("?[^\s:#"]+"?):\s*(.*)$/.exec(line) ?? [];
    if (key === '') return null;
    const bare = key.replaceAll('"', '');
    const depth = spaces.length;
    if (depth === 0) [host, users] = [bare, -1];
    else if (users >= 0 && depth > users) {
      if (value === '') names.set(`${bare}@${host}`, { name: bare, at: host });
    } else if (bare === 'users') users = depth;
    else {
      users = -1;
      const user = value.replace(/^["']|["']$/g, '');
      if (bare === 'user' && user !== '') names.set(`${user}@${host}`, { name: user, at: host });
    }
  }
  return [...names.values()];
}

/** Reads a session of IAM Identity Center. Client registrations in the same folder are not sign-ins. */
function awsSession(json: Readonly<Record<string, unknown>>): NamedSignIn[] {
  const name = filled(json['startUrl']);
  if (name === undefined || filled(json['accessToken']) === undefined) return [];
  const until = Date.parse(filled(json['expiresAt']) ?? '');
  return [{ name, ...(Number.isNaN(until) ? {} : { expiresOn: Math.floor(until / 1000) }) }];
}

function googleCredentials(json: Readonly<Record<string, unknown>>): NamedSignIn[] {
  const name = filled(json['account']) ?? filled(json['client_email']) ?? filled(json['quota_project_id']);
  if (filled(json['refresh_token']) === undefined && filled(json['private_key']) === undefined) return [];
  return [{ name: name ?? 'Application default credentials', at: 'googleapis.com' }];
}

function dockerHosts(json: Readonly<Record<string, unknown>>): NamedSignIn[] {
  const auths = isRecord(json['auths']) ? json['auths'] : {};
  return Object.keys(auths).map((host) => ({ name: host, at: host }));
}

/** mcp-remote names its token files after a hash of the server's URL. Its folder also contains other files. */
function mcpTokens(json: Readonly<Record<string, unknown>>, file: string): NamedSignIn[] {
  const name = /^(.+)_tokens\.json$/.exec(basename(file))?.[1];
  return name === undefined || filled(json['access_token']) === undefined ? [] : [{ name }];
}

/** Service principals in Azure CLI, by client ID and tenant. The file also contains their secrets. */
function servicePrincipals(text: string): NamedSignIn[] | null {
  const list = text.trim() === '' ? [] : jsonIn(text);
  if (!Array.isArray(list)) return null;
  return list.filter(isRecord).flatMap((entry) => {
    const [name, tenant] = [filled(entry['client_id']), filled(entry['tenant'])];
    if (name === undefined) return [];
    return [{ name, ...(tenant === undefined ? {} : { at: tenant }) }];
  });
}

/** The user's own sign-in, and those at MCP servers. Times are milliseconds. */
function claudeSignIns(json: Readonly<Record<string, unknown>>): NamedSignIn[] {
  const { claudeAiOauth: own, mcpOAuth: servers } = json;
  const found: NamedSignIn[] = [];
  if (isRecord(own) && filled(own['accessToken']) !== undefined)
    found.push({ name: 'claude.ai', at: 'claude.ai', ...endOf(own['expiresAt']) });
  for (const [key, server] of Object.entries(isRecord(servers) ? servers : {})) {
    if (!isRecord(server) || filled(server['accessToken']) === undefined) continue;
    const name = filled(server['serverName']) ?? key.split('|')[0] ?? key;
    const url = filled(server['serverUrl']);
    found.push({ name, ...(url === undefined ? {} : { at: url }), ...endOf(server['expiresAt']) });
  }
  return found;
}

function geminiSignIn(json: Readonly<Record<string, unknown>>): NamedSignIn[] {
  if (filled(json['access_token']) === undefined && filled(json['refresh_token']) === undefined) return [];
  return [{ name: 'Google account', at: 'googleapis.com', ...endOf(json['expiry_date']) }];
}

function endOf(milliseconds: unknown): { expiresOn?: number } {
  return typeof milliseconds === 'number' && Number.isFinite(milliseconds) && milliseconds > 0
    ? { expiresOn: Math.floor(milliseconds / 1000) }
    : {};
}

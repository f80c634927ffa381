/** Lists the sign-ins of programs that do not use MSAL documents. Reads names and expiry times, never tokens. */
import { basename } from 'node:path';
import { isRecord } from '../cache/json.ts';
import type { Place } from './programs.ts';

/** A sign-in of another program. */
export interface NamedSignIn {
  /** The name that the program uses: an account, a host or a start URL. */
  readonly name: string;
  /** The host or server. */
  readonly at?: string;
  /** Expiry in seconds since the epoch; absent if unknown. */
  readonly expiresOn?: number;
}

/** @returns null if the text is not in the program's format */
export function namesIn(
  content: Exclude<Place['content'], 'msal' | 'sealed'>,
  text: string,
  file: string,
): NamedSignIn[] | null {
  if (content === 'github-hosts') return githubHosts(text);
  const json = parsed(text);
  if (json === null) return null;
  if (content === 'aws-sso') return awsSession(json);
  if (content === 'gcloud-adc') return googleCredentials(json);
  if (content === 'docker-config') return dockerHosts(json);
  return mcpTokens(json, file);
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function filled(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * `hosts.yml` is two levels deep: hosts, and below them `user:` or a map `users:`. A YAML parser for these lines would be the
 * largest part of this room.
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

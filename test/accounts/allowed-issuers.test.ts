/** The issuers that the user has allowed, in a file that the app and the command share. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { allowedIssuersAt } from '../../src-main/accounts/allowed-issuers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ISSUER = 'https://id.example/acme';

let folder: string;
let file: string;

beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, 'allowed-issuers.json');
});

describe('an issuer', () => {
  it('is not allowed until the user allowed exactly this one', () => {
    const allowed = allowedIssuersAt(folder);
    expect(allowed.hostsOf(ISSUER)).toBeUndefined();
    allowed.allow(ISSUER, []);
    expect(allowed.hostsOf(ISSUER)).toEqual([]);
    expect(allowed.hostsOf(`${ISSUER}/`)).toEqual([]);
    for (const other of ['https://id.example', `${ISSUER}x`, 'https://id.example/ACME', '', '__proto__'])
      expect(allowed.hostsOf(other)).toBeUndefined();
  });

  it('keeps its hosts when more are allowed, and loses only its own when it is withdrawn', () => {
    const allowed = allowedIssuersAt(folder);
    allowed.allow(ISSUER, ['tokens.example']);
    allowed.allow(ISSUER, ['keys.example', 'tokens.example']);
    allowed.allow('https://other.example', ['tokens.example']);
    expect(allowed.hostsOf(ISSUER)).toEqual(['tokens.example', 'keys.example']);
    allowed.withdraw(ISSUER);
    expect(allowed.hostsOf(ISSUER)).toBeUndefined();
    expect(allowed.hostsOf('https://other.example')).toEqual(['tokens.example']);
  });

  it('is allowed at once where another process allowed it', () => {
    const [app, command] = [allowedIssuersAt(folder), allowedIssuersAt(folder)];
    expect(app.hostsOf(ISSUER)).toBeUndefined();
    command.allow(ISSUER, ['tokens.example']);
    app.allow('https://other.example', []);
    expect(app.hostsOf(ISSUER)).toEqual(['tokens.example']);
    expect(command.hostsOf('https://other.example')).toEqual([]);
    app.withdraw(ISSUER);
    expect(command.hostsOf(ISSUER)).toBeUndefined();
  });
});

describe('the file', () => {
  it('is its owner’s alone, and nothing is left beside it', () => {
    allowedIssuersAt(folder).allow(ISSUER, []);
    expect(readdirSync(folder)).toEqual(['allowed-issuers.json']);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"allowed":{}}',
    '{"allowed":[null,1,"https://id.example/acme"]}',
    '{"allowed":[{"issuer":"https://id.example/acme"}]}',
    '{"allowed":[{"issuer":"https://id.example/acme","hosts":"tokens.example"}]}',
    '{"allowed":[{"issuer":"http://id.example/acme","hosts":[]}]}',
    '{"allowed":[{"issuer":"https://id.example/acme@evil.example/../..","hosts":[]}]}',
  ])('allows nothing if it is damaged, and can be written again: %s', (text) => {
    writeFileSync(file, text);
    const allowed = allowedIssuersAt(folder);
    expect(allowed.hostsOf(ISSUER)).toBeUndefined();
    allowed.withdraw(ISSUER);
    allowed.allow(ISSUER, ['tokens.example']);
    expect(allowedIssuersAt(folder).hostsOf(ISSUER)).toEqual(['tokens.example']);
  });

  it('takes no hosts that are no text', () => {
    writeFileSync(
      file,
      JSON.stringify({ allowed: [{ issuer: ISSUER, hosts: [1, null, 'tokens.example'] }] }),
    );
    expect(allowedIssuersAt(folder).hostsOf(ISSUER)).toEqual(['tokens.example']);
  });

  it('allows nothing and says so if it can’t be read or written', () => {
    mkdirSync(file); // a folder of that name
    const allowed = allowedIssuersAt(folder);
    expect(allowed.hostsOf(ISSUER)).toBeUndefined();
    expect(() => allowed.allow(ISSUER, [])).toThrow(expect.objectContaining({ code: 'path_invalid' }));
    expect(readdirSync(folder)).toEqual(['allowed-issuers.json']);
  });

  it.skipIf(process.platform === 'win32').each([
    ['a named pipe', () => void execFileSync('mkfifo', [file])],
    ['a link to an endless device', () => symlinkSync('/dev/zero', file)],
  ])('allows nothing and is not waited for if it is %s', (_what, plant) => {
    plant();
    const allowed = allowedIssuersAt(folder);
    expect(allowed.hostsOf(ISSUER)).toBeUndefined();
    expect(() => allowed.allow(ISSUER, [])).toThrow(expect.objectContaining({ code: 'path_invalid' }));
  });

  it('is unchanged and alone if the new one can’t take its place', () => {
    allowedIssuersAt(folder).allow(ISSUER, []);
    const before = readFileSync(file, 'utf8');
    expect(() => allowedIssuersAt(join(file, 'below')).allow(ISSUER, ['x'])).toThrow(
      expect.objectContaining({ code: 'path_invalid' }),
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

import { expect, it } from 'vitest';
import { isOtherAlive, type LockPorts } from '../../app/instance-lock.ts';

const ports = (changes: Partial<LockPorts> = {}): LockPorts => ({
  link: () => 'desk-200',
  executable: () => '/opt/Tokenkeep/tokenkeep',
  isRunning: () => true,
  platform: 'linux',
  host: 'desk',
  pid: 100,
  ...changes,
});
const fails = () => {
  throw Object.assign(new Error('No such file.'), { code: 'ENOENT' });
};

it('is alive: a running process of the same program holds the lock', () => {
  expect(isOtherAlive(ports())).toBe(true);
  expect(isOtherAlive(ports({ host: 'my-desk-7', link: () => 'my-desk-7-200' }))).toBe(true);
  // Upgraded in place while it runs.
  const executable = (pid: number) => `/opt/Tokenkeep/tokenkeep${pid === 200 ? ' (deleted)' : ''}`;
  expect(isOtherAlive(ports({ executable }))).toBe(true);
  expect(isOtherAlive(ports({ platform: 'darwin', executable: fails }))).toBe(true);
});

it.each<[string, Partial<LockPorts>]>([
  ['the lock could not be made: a full disk, no inodes, no permission', { link: fails }],
  ['only its socket could not be made: no TMPDIR', { link: () => 'desk-100' }],
  ['its holder has died', { isRunning: () => false }],
  [
    'its holder’s number belongs to another program by now',
    { executable: (pid) => (pid === 200 ? '/usr/bin/bash' : '/opt/Tokenkeep/tokenkeep') },
  ],
  ['it is another computer’s', { link: () => 'laptop-200' }],
  ['it is no lock of Chromium’s', { link: () => 'something' }],
  ['its number is none', { link: () => 'desk-' }],
])('is not alive: %s', (_name, changes) => {
  expect(isOtherAlive(ports(changes))).toBe(false);
});

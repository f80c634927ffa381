#!/usr/bin/env node
// Replaces fpm where that can't be downloaded: takes the options that electron-builder passes for a deb, and builds one with dpkg-deb.
// Needs neither root nor the network. A release is built with fpm itself.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { debControl } from './deb-control.mjs';

const text = { type: 'string' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    input: { ...text, short: 's' },
    type: { ...text, short: 't' },
    force: { type: 'boolean' },
    debug: { type: 'boolean' },
    log: text,
    architecture: text,
    name: text,
    version: text,
    package: text,
    description: text,
    maintainer: text,
    vendor: text,
    url: text,
    license: text,
    category: text,
    depends: { ...text, short: 'd', multiple: true },
    'deb-recommends': { ...text, multiple: true },
    'deb-priority': text,
    'deb-compression': text,
    'after-install': text,
    'after-remove': text,
  },
});
if (values.type !== 'deb') throw new Error(`only debs are built here, not ${values.type}`);

const work = mkdtempSync(join(dirname(values.package), '.deb-'));
try {
  for (const pair of positionals) put(pair);
  modes(work);
  const control = join(work, 'DEBIAN');
  mkdirSync(control, { mode: 0o755 });
  writeFileSync(join(control, 'control'), debControl(values, kilobytes(work)), { mode: 0o644 });
  script(values['after-install'], join(control, 'postinst'));
  script(values['after-remove'], join(control, 'postrm'));
  const compression =
    { gz: 'gzip', bzip2: 'gzip' }[values['deb-compression']] ?? values['deb-compression'] ?? 'xz';
  // electron-builder's own setting for its archives, so that a build for a test takes seconds.
  const { ELECTRON_BUILDER_COMPRESSION_LEVEL: level } = process.env;
  const words = ['--root-owner-group', `-Z${compression}`, ...(level ? [`-z${level}`] : [])];
  words.push('--build', work, values.package);
  execFileSync('dpkg-deb', words, { stdio: ['ignore', 'ignore', 'inherit'] });
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Copies `FROM=TO`: a file or, with a slash at its end, the contents of a folder. TO is absolute in the package. */
function put(pair) {
  const [from, to] = pair.split('=');
  const target = join(work, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target, { recursive: true, verbatimSymlinks: true });
}

/** Sets the modes of installed files, which otherwise depend on the builder's umask. The postinst sets those of chrome-sandbox. */
function modes(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) modes(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o111 ? 0o755 : 0o644);
  }
}

function script(from, to) {
  if (from === undefined) return;
  cpSync(from, to);
  chmodSync(to, 0o755);
}

function kilobytes(folder) {
  return Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
}

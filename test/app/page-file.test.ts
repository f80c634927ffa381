import { describe, expect, it } from 'vitest';
import { fileOf } from '../../app/page-file.ts';

const FOLDER = '/opt/tokenkeep/out/renderer';

describe('the file behind a URL', () => {
  it.each([
    ['app://tokenkeep/', 'index.html', 'text/html; charset=utf-8'],
    ['app://tokenkeep/index.html', 'index.html', 'text/html; charset=utf-8'],
    ['app://tokenkeep/assets/main-1a2b.js?v=1#x', 'assets/main-1a2b.js', 'text/javascript; charset=utf-8'],
    ['app://tokenkeep/assets/../assets/a%20b.css', 'assets/a b.css', 'text/css; charset=utf-8'],
  ])('%s', (url, path, type) => {
    expect(fileOf(url, FOLDER)).toEqual({ path: `${FOLDER}/${path}`, type });
  });

  it.each([
    'app://elsewhere/index.html',
    'app://tokenkeep:1/index.html',
    'file:///etc/passwd.html',
    'app://tokenkeep/main.cjs',
    'app://tokenkeep/assets/main.js.map',
    'app://tokenkeep/assets/',
    'app://tokenkeep/..%2fsecret.js',
    'app://tokenkeep/..%2f..%2f..%2f..%2fetc/passwd.html',
    'app://tokenkeep/%2e%2e%2fsecret.js',
    'app://tokenkeep/..%2frenderer-of-another/index.html',
    'app://tokenkeep/index.html%00.js',
    'app://tokenkeep/%ff.js',
    'not a url',
  ])('none for %s', (url) => {
    expect(fileOf(url, FOLDER)).toBeUndefined();
  });
});

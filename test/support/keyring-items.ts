/** Items of a real keyring, written and found by libsecret, like those of other programs. */
import { spawnSync } from 'node:child_process';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param attributes `xdg:schema=NAME` first, then `name=value` */
export function storeItem(
  env: Environment,
  label: string,
  secret: string,
  attributes: readonly string[],
): void {
  const { status, stderr } = python(env, STORE, [label, secret, ...attributes]);
  if (status !== 0 || stderr !== '') throw new Error(`The item could not be stored: ${stderr}`);
}

/** @returns the secret; "" if there is no such item */
export function storedItem(env: Environment, attributes: readonly string[]): string {
  return python(env, LOOKUP, attributes).stdout;
}

const python = (env: Environment, program: string, args: readonly string[]) =>
  spawnSync('/usr/bin/python3', ['-c', program, ...args], { env: { ...env }, encoding: 'utf8' });

// Calls libsecret through ctypes, like every libsecret program, since Debian has its command-line tool in another package.
const SECRET = `
import ctypes, sys
lib = ctypes.CDLL('libsecret-1.so.0'); glib = ctypes.CDLL('libglib-2.0.so.0')
for f in (lib.secret_password_lookupv_sync, glib.g_hash_table_new): f.restype = ctypes.c_void_p
class Attribute(ctypes.Structure): _fields_ = [('name', ctypes.c_char_p), ('type', ctypes.c_int)]
class Schema(ctypes.Structure): _fields_ = [('name', ctypes.c_char_p), ('flags', ctypes.c_int), ('attributes', Attribute * 32), ('reserved', ctypes.c_void_p * 8)]
pairs = [a.split('=', 1) for a in sys.argv[FIRST:]]
schema = Schema(); schema.name = dict(pairs)['xdg:schema'].encode(); rest = [(k, v) for k, v in pairs if k != 'xdg:schema']
table = ctypes.c_void_p(glib.g_hash_table_new(ctypes.c_void_p.in_dll(glib, 'g_str_hash') if False else ctypes.cast(glib.g_str_hash, ctypes.c_void_p), ctypes.cast(glib.g_str_equal, ctypes.c_void_p)))
keep = []
for i, (k, v) in enumerate(rest):
    schema.attributes[i] = Attribute(k.encode(), 0); kb, vb = ctypes.create_string_buffer(k.encode()), ctypes.create_string_buffer(v.encode()); keep += [kb, vb]
    glib.g_hash_table_insert(table, ctypes.cast(kb, ctypes.c_void_p), ctypes.cast(vb, ctypes.c_void_p))
`;
const STORE = `${SECRET.replace('FIRST', '3')}
ok = lib.secret_password_storev_sync(ctypes.byref(schema), table, None, sys.argv[1].encode(), sys.argv[2].encode(), None, None)
sys.exit(0 if ok else 1)`;
const LOOKUP = `${SECRET.replace('FIRST', '1')}
found = lib.secret_password_lookupv_sync(ctypes.byref(schema), table, None, None)
sys.stdout.write(ctypes.cast(found, ctypes.c_char_p).value.decode() if found else '')`;

// Run by system.real.test.ts in a process of its own. Does what its arguments say, and prints what came of it.
import { copyFileSync, renameSync } from 'node:fs';
import { KeychainError } from '../../src-main/errors.ts';
import { systemKeychain } from '../../src-main/keychain/system-keychain.ts';

const [deadline = '', ...calls] = process.argv.slice(2);
const keychain = systemKeychain({ deadline: Number(deadline) });
for (const call of calls) {
  const [name = '', account = '', secret = ''] = call.split(' ');
  if (name === 'rename') {
    renameSync(account, secret); // as an upgrade of the program does
    continue;
  }
  if (name === 'copy') {
    copyFileSync(account, secret); // as an installation does
    continue;
  }
  try {
    const value = await keychain.get('tokenkeep-test', account);
    if (name === 'set') await keychain.set('tokenkeep-test', account, secret);
    if (name === 'delete') await keychain.delete('tokenkeep-test', account);
    process.stdout.write(`${JSON.stringify({ call, value })}\n`);
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    process.stdout.write(`${JSON.stringify({ call, code: error.code, message: error.message })}\n`);
  }
}
process.kill(process.pid, 'SIGKILL'); // A hanging native call would delay a normal exit.

/** The port of a sign-in, while another program on this computer keeps it busy. */
import { once } from 'node:events';
import { connect, Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listen, type Loopback, SIGNED_IN } from '../../../app/sign-in/loopback.ts';

let here: Loopback;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  here = await listen('http://127.0.0.1/', 'state-of-this-sign-in');
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  here.close();
});

/** Opens connections that begin a request and never finish it. */
async function occupy(count: number): Promise<void> {
  const port = Number(new URL(here.redirect_uri).port);
  for (let number = 0; number < count; number++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    if (number % 2 === 0) socket.write('GET / HTTP/1.1\r\nHost: 127'); // the others send nothing
  }
}

/** The connections that the app has not closed. */
const left = (): number => sockets.filter(({ destroyed }) => !destroyed).length;

it('answers the browser while others connect and finish nothing', async () => {
  await occupy(90);
  const answer = fetch(`${here.redirect_uri}?state=state-of-this-sign-in&code=c`);
  expect((await here.called).searchParams.get('code')).toBe('c');
  await delay(6_000); // longer than unfinished connections are held: the provider answers slowly
  here.answer(SIGNED_IN);
  expect(await (await answer).text()).toContain('You are signed in');
});

it('holds at most 100 connections, drops those that are not finished in time, and then answers again', async () => {
  await occupy(300);
  await expect.poll(left, { timeout: 10_000 }).toBeLessThanOrEqual(100);
  await expect.poll(left, { timeout: 60_000 }).toBe(0);
  const answer = await fetch(`${here.redirect_uri}?state=of-another-sign-in`);
  expect(await answer.text()).toContain('does not belong to the sign-in');
}, 90_000);

it('leaves no connection behind when it is closed', async () => {
  await occupy(20);
  here.close();
  await expect.poll(left, { timeout: 60_000 }).toBe(0);
}, 90_000);

it.each([
  ['EADDRINUSE', 'http://127.0.0.1:443/', 'port_taken', 'Another program'],
  ['EACCES', 'http://127.0.0.1:443/', 'port_refused', 'Remove the port'],
  ['EMFILE', 'http://127.0.0.1:443/', 'port_refused', 'Remove the port'],
  // There is no port to remove.
  ['EADDRINUSE', 'http://localhost/', 'port_refused', 'Allow Tokenkeep to listen'],
  ['EACCES', 'http://127.0.0.1/', 'port_refused', 'Allow Tokenkeep to listen'],
])('says of %s at %s what it is', async (code, registered, said, words) => {
  const refused = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server) {
    process.nextTick(() => this.emit('error', Object.assign(new Error('listen'), { code })));
    return this;
  });
  const failure = await listen(registered, 'state').catch((error: unknown) => error);
  refused.mockRestore();
  expect(failure).toMatchObject({ code: said, message: expect.stringContaining(words) });
});

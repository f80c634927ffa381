/** Requests to the sign-in's loopback port from pages in a browser and from other programs. */
import { connect } from 'node:net';
import { listen } from '../../app/sign-in/loopback.ts';
import { MARK, nameOf } from './hostile-values.ts';
import { must } from './score.ts';
import { inTime, type Scene } from './scene.ts';

const STATE = 'the-state-of-this-sign-in';
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'CONNECT', 'TRACE', 'get', 'GE T', ''];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', ''];

export async function attackLoopback({ random, score, short }: Scene): Promise<void> {
  for (let round = 0; round < (short ? 3 : 60); round++) {
    const loopback = await listen('http://127.0.0.1/back', STATE);
    const { port, host } = new URL(loopback.redirect_uri);
    let called = 0;
    void loopback.called.then(() => called++);
    const states = [
      '',
      'state=',
      `state=${MARK}`,
      `state=${STATE}x`,
      `state=${STATE.toUpperCase()}`,
      `state=x&state=${STATE}`,
      `state[]=${STATE}`,
      `state=%00${STATE}`,
      `State=${STATE}`,
    ];
    const paths = ['/back', '/', '/back/', '/BACK', '/../back', `http://${host}/back`, '*', '//back'];
    const hosts = [host, 'localhost', `evil.example:${port}`, '127.0.0.1', `localhost:${port}`, '', 'x'];
    const heads = [
      '',
      'Transfer-Encoding: chunked\r\n',
      `X: ${'a'.repeat(20_000)}\r\n`,
      'Expect: 100-continue\r\n',
    ];
    for (let call = 0; call < (short ? 30 : 100); call++) {
      const [method, version] = [random.pick(METHODS), random.pick(VERSIONS)];
      const [path, to] = [random.pick(paths), random.pick(hosts)];
      // With the right state, everything else has to be wrong in one place at least.
      const isWrong = method !== 'GET' || to !== host || !/^(?:http.*|\/\.\.)?\/back$/.test(path);
      const query = `code=${MARK}&${isWrong && random.below(2) === 0 ? `state=${STATE}` : random.pick(states)}`;
      const line = `${method} ${path}?${query} ${version}`;
      await score.try(
        'loopback: calls without the sign-in’s state',
        nameOf(`${line} Host: ${to}`),
        async () => {
          const answer = await inTime(
            30_000,
            raw(Number(port), `${line}\r\nHost: ${to}\r\n${random.pick(heads)}Connection: close\r\n\r\n`),
          );
          must(called === 0, 'The call was taken for the provider’s.');
          must(!answer.includes(MARK), 'The page repeats what was called.');
          must(!/^access-control-allow/im.test(answer), 'Other origins may read the answer.');
        },
      );
    }
    await score.try('loopback: the provider’s own call after them', `round ${round}`, async () => {
      void raw(Number(port), `GET /back?code=right&state=${STATE} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).catch(
        () => undefined,
      );
      const url = await inTime(30_000, loopback.called);
      must(url.searchParams.get('code') === 'right', 'The code of another call was taken.');
      const again = await raw(
        Number(port),
        `GET /back?code=${MARK}&state=${STATE} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      must(/^HTTP\/1\.1 404/.test(again), 'A second call was answered.');
    });
    loopback.answer({ title: 'x', text: 'x' });
    loopback.close();
  }
}

/** Sends bytes and returns the whole answer. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (data: string) => (answer += data));
    socket.on('error', () => resolve(answer)).on('close', () => resolve(answer));
    socket.end(text, 'latin1');
  });
}

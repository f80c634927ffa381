import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { middleware, type WebRequest } from '../../src-main/express/http.ts';

it.each([undefined, null, new Error('refused')])(
  'middleware that fails with %s lets no request through',
  async (failure) => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an app's own functions may reject with anything
    const run = middleware(() => Promise.reject(failure));
    const passed = new Promise((resolve) => run({} as WebRequest, {} as ServerResponse, resolve));
    expect(await passed).toBeInstanceOf(Error);
  },
);

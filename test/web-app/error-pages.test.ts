/** Which page the example web app shows for an error: a permanent cause is never answered with "try again". */
import { describe, expect, it } from 'vitest';
import { ApiFailure, failureOf, SessionsUnavailable } from '../../examples/web-app/failures.ts';
import { messagePage } from '../../examples/web-app/pages.ts';
import {
  PartitionError,
  PartitionStoreError,
  SessionEndedError,
  WebSignInError,
} from '../../src-main/errors.ts';

const AGAIN = { to: '/call-api', text: 'Try again' };
const page = (error: unknown) => failureOf(error, '/call-api');

describe('the page for an error', () => {
  it.each([
    new PartitionStoreError('store_unavailable', 'no connection'),
    new PartitionStoreError('store_timeout', 'no answer'),
    new PartitionStoreError('store_read_only', 'a replica'),
    new SessionsUnavailable(),
    new PartitionError('partition_busy', 'a key', 'busy'),
    new ApiFailure(undefined),
    new ApiFailure(429),
    new ApiFailure(500),
  ])('offers to try again after a failure that passes: %s', (error) => {
    expect(page(error)).toMatchObject({ next: AGAIN });
  });

  it.each([
    new PartitionStoreError('store_forbidden', 'no permission'),
    new PartitionStoreError('store_table_missing', 'no table'),
    new PartitionStoreError('store_full', 'no space'),
    new Error('a fault of the app'),
  ])('names the log after a failure that stays: %s', (error) => {
    const { status, text, next } = page(error);
    expect([status, next]).toEqual([500, undefined]);
    expect(text).toMatch(/log/);
    expect(text).not.toMatch(/try again/i);
  });

  it.each(['//evil.example/', '/\\evil.example/'])('offers no try at another site: %s', (path) => {
    expect(failureOf(new PartitionStoreError('store_timeout', ''), path)).toMatchObject({
      next: { to: '/' },
    });
  });

  it('escapes the path to try again', () => {
    const { status, ...message } = failureOf(new PartitionStoreError('store_timeout', ''), '/"><script>');
    expect(status).toBe(503);
    expect(messagePage(message)).not.toContain('<script>');
  });

  it.each([400, 401, 403, 404, 410])('offers no other try where the API answers %d', (answer) => {
    const { status, text, next } = page(new ApiFailure(answer));
    expect([status, next]).toEqual([502, undefined]);
    expect(text).toContain(String(answer));
    expect(text).not.toMatch(/try again/i);
  });

  it('says what the provider answered, if it said anything', () => {
    expect(page(new WebSignInError('sign_in_refused', 'refused')).text).toContain('answered: nothing');
  });

  it('asks for a sign-in if the session has ended or the saved sign-in can’t be opened', () => {
    const signIn = { to: '/sign-in', text: 'Sign in again' };
    const ended = page(new SessionEndedError('gone'));
    expect(ended).toMatchObject({ status: 401, next: signIn });
    expect(ended.text).not.toContain('not been signed out');
    expect(page(new PartitionError('partition_damaged', 'a key', 'damaged'))).toMatchObject({ next: signIn });
  });
});

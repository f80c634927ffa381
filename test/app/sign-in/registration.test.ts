import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILT_IN, profilesAt, withRegistration } from '../../../app/sign-in/profiles.ts';
import { draftOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CLIENT = '51aa0f9c-0000-4000-8000-00000000002d';
const open = (registration: string) =>
  withRegistration(
    profilesAt(join(temporaryFolder(), 'profiles.json'), () => 0),
    registration,
  );

describe('the app registration of a build', () => {
  it('is a profile, so that nobody is asked for a client ID', () => {
    const profiles = open(CLIENT);
    expect(profiles.list()).toMatchObject([{ id: BUILT_IN, kind: 'microsoft', client_id: CLIENT }]);
    expect(profiles.find(BUILT_IN)).toBe(profiles.list()[0]);
  });

  it('can be neither changed nor removed, and gives way to a saved profile of the same app', () => {
    const profiles = open(CLIENT);
    profiles.remove(BUILT_IN);
    const other = profiles.save(draftOf('https://id.example'), BUILT_IN);
    expect(profiles.list().map(({ id }) => id)).toEqual([BUILT_IN, other.id]);
    const own = profiles.save({ ...draftOf('https://id.example'), client_id: CLIENT }, null);
    expect(profiles.list().map(({ id }) => id)).toEqual([other.id, own.id]);
  });

  it('is no profile where the build has none', () => expect(open('').list()).toEqual([]));
});

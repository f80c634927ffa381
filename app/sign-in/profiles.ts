/** The sign-in profiles of this user, in a file without secrets: a public client has none. */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, StorageError } from 'tokenkeep';
import { readJson, writeJson } from '../json-file.ts';
import type { ProfileDraft, SignInProfile } from './contract.ts';
import { profilesIn } from './profile.ts';

export interface Profiles {
  list(): readonly SignInProfile[];
  find(id: string): SignInProfile;
  save(draft: ProfileDraft, id: string | null): SignInProfile;
  remove(id: string): void;
}

export function profilesAt(file: string, now: () => number): Profiles {
  let known: readonly SignInProfile[] | undefined;
  const list = (): readonly SignInProfile[] => (known ??= readJson(file, profilesIn, now) ?? []);
  const keep = (profiles: readonly SignInProfile[]): void => {
    try {
      writeJson(file, { version: 1, profiles });
    } catch (cause) {
      const message =
        'The sign-in profiles could not be saved, and are as they were. See that the disk has room.';
      throw new StorageError('storage_failed', message, { cause });
    }
    known = profiles;
  };
  const find = (id: string): SignInProfile => {
    const found = list().find((profile) => profile.id === id);
    if (found !== undefined) return found;
    throw new InvalidArgumentError('This sign-in profile is not there any more. Nothing was done.');
  };
  return {
    list,
    find,
    save(draft, id) {
      if (id !== null) find(id);
      const saved = { ...draft, id: id ?? randomUUID() };
      keep(id === null ? [...list(), saved] : list().map((profile) => (profile.id === id ? saved : profile)));
      return saved;
    },
    remove(id) {
      keep(list().filter((profile) => profile.id !== id));
    },
  };
}

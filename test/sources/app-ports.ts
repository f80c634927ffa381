import { join } from 'node:path';
import type { OpenSourcesPorts } from '../../app/sources/open-sources.ts';

/** The app's side of the caches below a home folder of Linux: a user who has clicked and agrees to everything; nothing is opened. */
export function portsAt(home: string, ports: Partial<OpenSourcesPorts<null>> = {}): OpenSourcesPorts<null> {
  return {
    computer: { home, platform: 'linux', env: {} },
    useGesture: () => undefined,
    confirm: () => Promise.resolve(true),
    ownVault: join(home, 'own.vault'),
    chooseFile: () => Promise.resolve(null),
    planImport: () => Promise.resolve(),
    showFile: () => undefined,
    openProgram: () => Promise.resolve(),
    now: () => 1,
    onChange: () => undefined,
    ...ports,
  };
}

/** Every fuse of Electron, read from the packaged binary. docs/decisions/fuses.md has the reasons. */
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { expect } from '@playwright/test';
import { test } from '../e2e/app.ts';

const DECIDED: Record<keyof typeof FuseV1Options, boolean> = {
  RunAsNode: false,
  EnableCookieEncryption: false,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  LoadBrowserProcessSpecificV8Snapshot: false,
  GrantFileProtocolExtraPrivileges: false,
};

test('every fuse stands as it was decided', async ({ packagedApp }) => {
  const wire = await getCurrentFuseWire(packagedApp);
  // The wire is text: 1 on, 0 off, r removed.
  const seen = Object.keys(DECIDED).map((name) => [
    name,
    text(wire[FuseV1Options[name as keyof typeof DECIDED]]),
  ]);
  expect(seen).toEqual(Object.entries(DECIDED).map(([name, on]) => [name, on ? '1' : '0']));
  // One that Electron adds is one that nobody has decided yet.
  const fuses = Object.keys(wire).filter((key) => /^\d+$/.test(key));
  expect(fuses).toHaveLength(Object.keys(DECIDED).length);
});

const text = (state: number | undefined): string => String.fromCharCode(state ?? 0);

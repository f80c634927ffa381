import { createModel, type Model } from '../../../src-renderer/state/model.ts';
import { type FakeBridge, fakeBridge, type World } from './bridge.ts';
import { type FakeTime, type FakeVisibility, fakeTime, fakeVisibility, settled } from './time.ts';
import { world } from './worlds.ts';

export interface Stage {
  model: Model;
  world: World;
  bridge: FakeBridge;
  time: FakeTime;
  visibility: FakeVisibility;
}

/** Deterministic random bytes. */
export const random = (length: number) => Uint8Array.from({ length }, (_, index) => index);

/** Starts the window's state over a fake world. */
export async function stage(
  name = 'main',
  changes: Partial<World> = {},
  time: FakeTime = fakeTime(),
): Promise<Stage> {
  const set = { ...world(name, () => Math.floor(time.now() / 1000)), ...changes };
  const bridge = fakeBridge(set);
  const visibility = fakeVisibility();
  const model = createModel({
    tokenCache: bridge.tokenCache,
    firstAccounts: bridge.firstAccounts,
    app: bridge.app,
    time,
    visibility,
    random,
  });
  void model.start();
  await settled();
  return { model, world: set, bridge, time, visibility };
}

/** A promise that the test resolves, to inspect the state meanwhile. */
export function gate(): { open: () => void; closed: Promise<void> } {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, closed };
}

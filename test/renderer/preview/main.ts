/** The window over a fake bridge, to look at it and to try it without an app behind it: `?world=locked`. */
import { fakeBridge } from '../fake/bridge.ts';
import { world } from '../fake/worlds.ts';

const name = new URLSearchParams(location.search).get('world') ?? 'main';

if (name !== 'no-bridge') {
  const bridge = fakeBridge(world(name, () => Math.floor(Date.now() / 1000)));
  Object.assign(window, { tokenCache: bridge.tokenCache, app: bridge.app, fake: bridge });
}
await import('../../../src-renderer/main.tsx');

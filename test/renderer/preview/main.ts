/** The window over a fake bridge, without an app: `?world=locked`. */
import { pageVisibility, random, systemTime } from '../../../src-renderer/bridge.ts';
import { show } from '../../../src-renderer/show.tsx';
import { fakeBridge } from '../fake/bridge.ts';
import { world } from '../fake/worlds.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');

const name = new URLSearchParams(location.search).get('world') ?? 'main';
if (name === 'no-bridge') {
  show(root, null);
} else {
  const shown = world(name, () => Math.floor(Date.now() / 1000));
  const fake = fakeBridge(shown);
  Object.assign(window, { fake, world: shown }); // to emit events and change answers by hand
  show(root, {
    tokenCache: fake.tokenCache,
    firstAccounts: fake.firstAccounts,
    app: fake.app,
    time: systemTime,
    visibility: pageVisibility,
    random,
  });
}

import { openPorts } from './bridge.ts';
import { show } from './show.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');
show(root, openPorts());

import { createRoot } from 'react-dom/client';
import { openDoors } from './bridge.ts';
import { LastResort } from './parts/LastResort.tsx';
import { ModelContext } from './parts/model.ts';
import { BridgeMissing } from './screens/BridgeMissing.tsx';
import { TokenkeepWindow } from './screens/TokenkeepWindow.tsx';
import { createModel } from './state/model.ts';
import './styles/index.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');

const doors = openDoors();
if (doors === null) {
  createRoot(root).render(<BridgeMissing />);
} else {
  const model = createModel(doors);
  void model.start();
  createRoot(root).render(
    <LastResort>
      <ModelContext value={model}>
        <TokenkeepWindow />
      </ModelContext>
    </LastResort>,
  );
}

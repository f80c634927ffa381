import { createRoot } from 'react-dom/client';
import { keepFocus } from './focus.ts';
import { LastResort } from './parts/LastResort.tsx';
import { ModelContext } from './parts/model.ts';
import { BridgeMissing } from './screens/BridgeMissing.tsx';
import { TokenkeepWindow } from './screens/TokenkeepWindow.tsx';
import type { Doors } from './state/doors.ts';
import { createModel } from './state/model.ts';
import './styles/index.css';

/** Draws the window into the element. Without doors it can only say that it has none. */
export function show(root: HTMLElement, doors: Doors | null): void {
  if (doors === null) {
    createRoot(root).render(<BridgeMissing />);
    return;
  }
  const model = createModel(doors);
  void model.start();
  keepFocus();
  createRoot(root).render(
    <LastResort>
      <ModelContext value={model}>
        <TokenkeepWindow />
      </ModelContext>
    </LastResort>,
  );
}

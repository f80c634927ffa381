import { createRoot } from 'react-dom/client';
import { keepFocus } from './focus.ts';
import { LastResort } from './parts/LastResort.tsx';
import { ModelContext } from './parts/hooks.ts';
import { BridgeMissing } from './screens/StartScreens.tsx';
import { TokenkeepWindow } from './screens/TokenkeepWindow.tsx';
import type { Ports } from './state/ports.ts';
import { createModel } from './state/model.ts';
import './styles/index.css';

/** Draws the window into the element. Without ports it can only say that it has none. */
export function show(root: HTMLElement, ports: Ports | null): void {
  if (ports === null) {
    createRoot(root).render(<BridgeMissing />);
    return;
  }
  const model = createModel(ports);
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

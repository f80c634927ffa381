import { createRoot } from 'react-dom/client';
import { keepFocus } from './focus.ts';
import { LastResort } from './parts/LastResort.tsx';
import { ModelContext } from './parts/hooks.ts';
import { BridgeMissing } from './screens/StartScreens.tsx';
import { loadRest, TokenkeepWindow } from './screens/TokenkeepWindow.tsx';
import type { Ports } from './state/ports.ts';
import { createModel } from './state/model.ts';
import './styles/index.css';

/** Renders the window. Without ports, it renders a page that says what is missing. */
export function show(root: HTMLElement, ports: Ports | null): void {
  if (ports === null) {
    createRoot(root).render(<BridgeMissing />);
    return;
  }
  const model = createModel(ports);
  void model.start().then(loadRest);
  keepFocus();
  createRoot(root).render(
    <LastResort>
      <ModelContext value={model}>
        <TokenkeepWindow />
      </ModelContext>
    </LastResort>,
  );
}

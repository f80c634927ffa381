import { PAGES } from '../state/pages.ts';
import { useModel, useStore } from './model.ts';

/** From page to page. Buttons, and the one that is shown says so (WAI-ARIA, `aria-current`). */
export function Navigation() {
  const { pages } = useModel();
  const shown = useStore(pages.view);
  return (
    <nav className="navigation" aria-label="Pages">
      {PAGES.map(({ id, title }) => (
        <button
          type="button"
          key={id}
          aria-current={id === shown ? 'page' : undefined}
          onClick={() => pages.show(id)}
        >
          {title}
        </button>
      ))}
    </nav>
  );
}

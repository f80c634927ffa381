import { Component, type ReactNode } from 'react';
import { reload } from '../bridge.ts';
import { BlankScreen } from './BlankScreen.tsx';
import { Action } from './Action.tsx';

/** When drawing the window fails: says so, and that nothing is lost, in place of an empty window. */
export class LastResort extends Component<{ children: ReactNode }, { failed: boolean; what: string }> {
  override state = { failed: false, what: '' };

  static getDerivedStateFromError(error: unknown): { failed: boolean; what: string } {
    return {
      failed: true,
      what: error instanceof Error ? `${error.name}: ${error.message}` : 'an unknown error',
    };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <BlankScreen icon="warning" tone="bad" title="The window could not be drawn">
        <p>
          Something in Tokenkeep is wrong. Your sign-ins are kept by another part of it and are not affected.
          Reload the window; if this comes back, please report it.
        </p>
        <p className="quote">{this.state.what}</p>
        <div className="actions">
          <Action kind="primary" onPress={reload} autoFocus>
            Reload
          </Action>
        </div>
      </BlankScreen>
    );
  }
}

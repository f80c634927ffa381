import { Component, type ReactNode } from 'react';
import { reload } from '../bridge.ts';
import { BlankScreen } from './BlankScreen.tsx';
import { Action } from './Action.tsx';

/** Error boundary of the window. */
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
      <BlankScreen icon="warning" tone="bad" title="The window can’t be displayed">
        <p>
          An error occurred in the window. Your vault is not affected. Reload the window. If the error
          returns, report it.
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

import { BlankScreen } from '../parts/BlankScreen.tsx';

export function BridgeMissing() {
  return (
    <BlankScreen icon="warning" tone="bad" title="This page is a part of Tokenkeep">
      <p>
        It shows the sign-ins that the Tokenkeep app keeps, and works only inside its window: here, the
        connection to the app is missing. Start Tokenkeep itself. If you did, its installation is damaged;
        install it again. Your sign-ins are not affected.
      </p>
    </BlankScreen>
  );
}

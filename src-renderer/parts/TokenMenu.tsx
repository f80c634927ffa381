import { Header, Menu, MenuItem, MenuSection, Separator } from 'react-aria-components';
import type { TokenItem } from '../../src-main/ipc/contract.ts';
import { copyText } from '../bridge.ts';
import { claimsText } from '../state/claims.ts';
import { shortcut } from '../state/platform.ts';
import { appLabel } from '../state/tokens.ts';
import { useModel, useStore } from './hooks.ts';

/**
 * Actions for the selected token, in the panel and in the context menu of its row.
 *
 * @param start what gets the focus where no button opens the menu: the first item, or (true) the menu itself
 */
export function TokenMenu({ token, start }: { token: TokenItem; start?: 'first' | true }) {
  const { refreshStatus, secret, selection, toasts, vault } = useModel();
  const platform = useStore(vault.view, (view) => view.info?.platform);
  const { accountId, claims, tokens } = useStore(selection.view);
  const refreshable = useStore(
    refreshStatus.view,
    (view) => view.accountId === accountId && view.status?.refreshable === true,
  );
  const payload = claims?.format === 'jwt' ? claims.payload : null;
  const isAccess = token.type === 'AccessToken';
  // Other programs' caches are only read.
  const removable = token.place === 'vault';
  const renewable = refreshable && removable;
  const ofApp = (tokens ?? []).filter(
    ({ client_id, place }) => client_id === token.client_id && place === 'vault',
  );
  // Claims aren't secret, so main doesn't ask the user.
  const copyClaims = () => {
    if (payload === null) return;
    toasts.show(copyText(claimsText(payload)) ? 'Claims copied.' : 'The claims could not be copied.');
  };
  return (
    <Menu className="menu" aria-label="Token" {...(start === undefined ? {} : { autoFocus: start })}>
      <MenuSection>
        <Header className="menu-head">Copy</Header>
        <MenuItem textValue="Token" onAction={() => void secret.copy()}>
          Token… <kbd>{shortcut('C', platform)}</kbd>
        </MenuItem>
        {isAccess && <MenuItem onAction={() => void secret.copy('header')}>Authorization header…</MenuItem>}
        {isAccess && <MenuItem onAction={() => void secret.copy('curl')}>curl command…</MenuItem>}
        {payload !== null && <MenuItem onAction={copyClaims}>Claims as JSON</MenuItem>}
      </MenuSection>
      {(renewable || removable) && <Separator />}
      {renewable && (
        <MenuItem onAction={() => void refreshStatus.refresh(isAccess ? token.id : null)}>
          {isAccess ? 'Refresh this token' : 'Refresh the account’s tokens'}
        </MenuItem>
      )}
      {removable && (
        <MenuItem className="danger" onAction={() => void secret.remove([token.id])}>
          Remove this token…
        </MenuItem>
      )}
      {removable && ofApp.length > 1 && (
        <MenuItem className="danger" onAction={() => void secret.remove(ofApp.map(({ id }) => id))}>
          {`Remove ${appLabel(token)}’s ${String(ofApp.length)} tokens…`}
        </MenuItem>
      )}
    </Menu>
  );
}

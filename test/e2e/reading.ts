/** The window as a screen reader gets it: Chromium's accessibility tree. */
import { expect, type Page } from '@playwright/test';

interface AXNode {
  nodeId: string;
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
  properties?: { name: string; value: { value?: unknown } }[];
  childIds?: string[];
  parentId?: string;
  backendDOMNodeId?: number;
}

/** Roles that a user operates, and the state that each has to expose. */
const CONTROLS: Readonly<Record<string, string | null>> = {
  button: null,
  link: null,
  textbox: null,
  searchbox: null,
  combobox: 'expanded',
  checkbox: 'checked',
  switch: 'checked',
  radio: 'checked',
  menuitem: null,
  menuitemradio: 'checked',
  tab: 'selected',
  option: 'selected',
  listbox: null,
  grid: null,
  slider: null,
};

/** Roles that only group, and need a name to be distinguished. */
const NAMED = new Set([
  'dialog',
  'alertdialog',
  'region',
  'navigation',
  'tablist',
  'radiogroup',
  'image',
  'tabpanel',
]);

const roleOf = (node: AXNode): string => node.role?.value ?? '';
const nameOf = (node: AXNode): string => (node.name?.value ?? '').trim();
const propertyOf = (node: AXNode, name: string): unknown =>
  node.properties?.find((each) => each.name === name)?.value.value;
const said = (node: AXNode): string => `${roleOf(node)} “${nameOf(node)}”`;

/**
 * Checks the window in its current state: every control has a role, a name and a state, and the reading order is the visual order.
 *
 * @param screen for the report
 */
export async function checkReading(window: Page, screen: string): Promise<void> {
  const client = await window.context().newCDPSession(window);
  await client.send('Accessibility.enable');
  const { nodes } = (await client.send('Accessibility.getFullAXTree')) as unknown as { nodes: AXNode[] };
  const read = inOrder(nodes);
  const faults: string[] = [];

  for (const node of read) {
    const role = roleOf(node);
    if ((role in CONTROLS || NAMED.has(role)) && nameOf(node) === '') faults.push(`${role} without a name`);
    const state = CONTROLS[role] ?? null;
    if (state !== null && propertyOf(node, state) === undefined)
      faults.push(`${said(node)} does not tell: ${state}`);
    // A focusable element that is not a known control has nothing to be read. Scrolling boxes are focusable by Chromium's own rule.
    const nothing = ['generic', 'none', ''].includes(role) && propertyOf(node, 'focusable') === true;
    if (nothing && (await attributesOf(node)).includes('tabindex'))
      faults.push(`${said(node)} takes the focus`);
  }

  const headings = read
    .filter((node) => roleOf(node) === 'heading')
    .map((node) => Number(propertyOf(node, 'level')));
  const dialog = read.some((node) => /dialog$/.test(roleOf(node)));
  if (!dialog && headings.filter((level) => level === 1).length !== 1)
    faults.push(`headings of level 1: ${headings.filter((level) => level === 1).length}`);
  headings.forEach((level, index) => {
    const before = headings[index - 1];
    if (before !== undefined && level > before + 1)
      faults.push(`a heading of level ${level} after one of ${before}`);
  });

  // Read from top to bottom, column by column: what follows is not wholly above, unless it is in a column further right.
  const controls = read.filter(
    (node) => roleOf(node) in CONTROLS && !['listbox', 'grid'].includes(roleOf(node)),
  );
  expect.soft(controls.length, `controls of ${screen}`).toBeGreaterThanOrEqual(1);
  const boxes = await boxesOf(controls);
  let before: { node: AXNode; box: Box } | undefined;
  for (const [index, node] of controls.entries()) {
    const box = boxes[index];
    if (box === undefined || box.right - box.left <= 1 || box.bottom - box.top <= 1) continue;
    if (before !== undefined && box.bottom <= before.box.top + 1 && box.left < before.box.right - 1)
      faults.push(`${said(node)} is read after ${said(before.node)}, and seen above it`);
    before = { node, box };
  }
  await client.detach();
  expect.soft(faults, `${screen}, as it is read`).toEqual([]);

  async function attributesOf({ backendDOMNodeId }: AXNode): Promise<string[]> {
    const { node } = await client.send('DOM.describeNode', { backendNodeId: backendDOMNodeId ?? 0 });
    return node.attributes ?? [];
  }

  /** Returns what is seen of each control: not what a box that scrolls has moved out of itself. */
  async function boxesOf(seen: readonly AXNode[]): Promise<(Box | undefined)[]> {
    // Two round trips for all, not two for each.
    const found = await Promise.all(
      seen.map(({ backendDOMNodeId }) =>
        client.send('DOM.resolveNode', { backendNodeId: backendDOMNodeId ?? 0 }),
      ),
    );
    const ids = found.map(({ object }) => ({ objectId: object.objectId ?? '' }));
    const [first] = ids;
    if (first === undefined) return [];
    const { result, exceptionDetails } = await client.send('Runtime.callFunctionOn', {
      ...first,
      arguments: ids,
      functionDeclaration: `(...nodes) => nodes.map((node) => (${String(seenOf)})(node))`,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return result.value as (Box | undefined)[];
  }
}

/** Runs in the page, on an element or a text. */
function seenOf(node: Node): Box | undefined {
  const element = node instanceof Element ? node : node.parentElement;
  if (element === null) return undefined;
  let { left, top, right, bottom } = element.getBoundingClientRect();
  for (let outer = element.parentElement; outer !== null; outer = outer.parentElement) {
    if (getComputedStyle(outer).overflow === 'visible') continue;
    const edge = outer.getBoundingClientRect();
    left = Math.max(left, edge.left);
    top = Math.max(top, edge.top);
    right = Math.min(right, edge.right);
    bottom = Math.min(bottom, edge.bottom);
  }
  return { left, top, right, bottom };
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Returns all nodes that are read, in reading order. */
function inOrder(nodes: readonly AXNode[]): AXNode[] {
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const root = nodes.find(({ parentId }) => parentId === undefined);
  const found: AXNode[] = [];
  const visit = (node: AXNode | undefined): void => {
    if (node === undefined) return;
    if (!node.ignored) found.push(node);
    for (const id of node.childIds ?? []) visit(byId.get(id));
  };
  visit(root);
  return found;
}

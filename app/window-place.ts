/** Stores the window's position when it is closed. */
import { readSmallFile } from 'tokenkeep/ipc';
import { writeJson } from './data-folder.ts';

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
  maximized: boolean;
}

export const SMALLEST = { width: 800, height: 500 };

/** Returns null if none is stored, it is not readable, or no display shows enough of the window to move it. */
export function readPlace(file: string, displays: readonly Rectangle[]): Place | null {
  try {
    const value: unknown = JSON.parse(readSmallFile(file));
    return isPlace(value) && displays.some((display) => canBeGrasped(value, display)) ? value : null;
  } catch {
    return null; // optional: without it, the window opens in the center
  }
}

export function writePlace(file: string, place: Place): void {
  try {
    writeJson(file, place);
  } catch {
    // A full or read-only disk must not keep a window from closing.
  }
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Record<string, unknown> = { ...value };
  return (
    ['x', 'y', 'width', 'height'].every((name) => Number.isInteger(fields[name])) &&
    typeof fields['maximized'] === 'boolean'
  );
}

/** Whether enough of the title bar is on the display to drag the window. */
function canBeGrasped(place: Place, display: Rectangle): boolean {
  const shown = Math.min(place.x + place.width, display.x + display.width) - Math.max(place.x, display.x);
  return shown >= 120 && place.y >= display.y && place.y <= display.y + display.height - 40;
}

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { noteBundled } from './scripts/packaging/bundled.mjs';

// The window. Relative asset paths, because it is served from app://tokenkeep/.
export default defineConfig({
  root: 'src-renderer',
  base: './',
  plugins: [react(), noteBundled('renderer')],
  build: {
    outDir: '../out/renderer',
    emptyOutDir: true,
    target: 'chrome130', // Electron 33
    // The page names the scripts of its first screen, so that none waits for another. By links only: the window has no network to fetch by.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000, // kB; it is read from the disk beside it, not fetched
  },
});

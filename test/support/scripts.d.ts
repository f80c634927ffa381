// The scripts are plain JavaScript, because they run before anything is installed. Their comments document their
// contracts.
declare module '*.mjs';
declare module '*.cjs';

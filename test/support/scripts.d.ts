// The scripts are plain JavaScript, because they run before anything is installed. Their contracts are in their comments.
declare module '*.mjs';
declare module '*.cjs';

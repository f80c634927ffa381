// Bundled into built/preload.cjs: a sandboxed preload script can load only Electron.
const { exposeRequests, exposeTokenCache } = require('tokenkeep/preload');

exposeTokenCache({ only: ['accounts', 'signOut'] });
exposeRequests({ name: 'desk', prefix: 'desk', requests: { signIn: true }, events: {} });

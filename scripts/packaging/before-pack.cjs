// The beforePack hook of electron-builder.yml: ends a build that must not continue.
const refuseDevelopmentRuntime = require('./refuse-development-runtime.cjs').default;
const refuseUnownedRelease = require('./refuse-unowned-release.cjs').default;

exports.default = function beforePack(context) {
  refuseDevelopmentRuntime(context);
  refuseUnownedRelease(context);
};

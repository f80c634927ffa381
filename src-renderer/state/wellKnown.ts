/** Published names of apps and APIs, which the command shows as well. */
export { apisNamed, appName, PERSONAL_TENANT, resourceName } from '../../src-main/cache/schema/well-known.ts';

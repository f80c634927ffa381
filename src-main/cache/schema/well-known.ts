/**
 * Names of identifiers that Microsoft publishes ("Verify first-party Microsoft applications in sign-in reports").
 * Other identifiers are shown unchanged. The window and the command show the same names, so this is the one file of values
 * that the window imports from here; it imports nothing.
 */

/** APIs by the app ID in `aud`. */
const APIS: Readonly<Record<string, string>> = {
  '00000003-0000-0000-c000-000000000000': 'Microsoft Graph',
  '00000002-0000-0000-c000-000000000000': 'Azure AD Graph',
  '00000002-0000-0ff1-ce00-000000000000': 'Exchange Online',
  '00000003-0000-0ff1-ce00-000000000000': 'SharePoint Online',
  '00000007-0000-0000-c000-000000000000': 'Dataverse',
  '00000009-0000-0000-c000-000000000000': 'Power BI',
  '797f4846-ba00-4fd7-ba43-dac1f8f63013': 'Azure Resource Manager',
  'cfa8b339-82a2-471a-a3c9-0fc0be7a4093': 'Azure Key Vault',
  'e406a681-f3d4-42a8-90b6-c2b029497af1': 'Azure Storage',
  '022907d3-0f1b-48f7-badc-1ba6abab6d66': 'Azure SQL Database',
  '499b84ac-1321-427f-aa17-267ca6975798': 'Azure DevOps',
  'ca7f3f0b-7d91-482c-8e09-c5d840d0eac5': 'Log Analytics',
  '80a10ef9-8168-493d-abf9-3297c4ef6e3c': 'Azure Service Bus',
  '6dae42f8-4368-4678-94ff-3960e28e3630': 'Azure Kubernetes Service',
  'c5393580-f805-4401-95e8-94b7a6ef2fc2': 'Office 365 Management',
  'cc15fd57-2c6c-4117-a88c-83b1d56b4bbe': 'Microsoft Teams',
};

/** APIs by the host in `aud` and in scopes that are URLs. */
const HOSTS: Readonly<Record<string, string>> = {
  'graph.microsoft.com': 'Microsoft Graph',
  'graph.windows.net': 'Azure AD Graph',
  'outlook.office.com': 'Exchange Online',
  'outlook.office365.com': 'Exchange Online',
  'management.azure.com': 'Azure Resource Manager',
  'management.core.windows.net': 'Azure Resource Manager',
  'vault.azure.net': 'Azure Key Vault',
  'storage.azure.com': 'Azure Storage',
  'database.windows.net': 'Azure SQL Database',
  'api.loganalytics.io': 'Log Analytics',
  'servicebus.azure.net': 'Azure Service Bus',
  'manage.office.com': 'Office 365 Management',
  'analysis.windows.net': 'Power BI',
};

/** Microsoft's apps by client ID. */
const APPS: Readonly<Record<string, string>> = {
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46': 'Azure CLI',
  '1950a258-227b-4e31-a9cf-717495945fc2': 'Azure PowerShell',
  '14d82eec-204b-4c2f-b7e8-296a70dab67e': 'Microsoft Graph PowerShell',
  'de8bc8b5-d9f9-48b1-a8ad-b748da725064': 'Graph Explorer',
  '872cd9fa-d31f-45e0-9eab-6e460a02d1f1': 'Visual Studio',
  '04f0c124-f2bc-4f59-8241-bf6df9866bbd': 'Visual Studio',
  'aebc6443-996d-45c2-90f0-388ff96faa56': 'Visual Studio Code',
  'd3590ed6-52b3-4102-aeff-aad2292ab01c': 'Microsoft Office',
  '1fec8e78-bce4-4aaf-ab1b-5451cc387264': 'Microsoft Teams',
  'ab9b8c07-8f02-4f72-87fa-80105867a763': 'OneDrive',
  'd5a56ea4-7369-46b8-a538-c370805301bf': 'Azure Artifacts',
  '7ea7c24c-b1f6-4a20-9d11-9ae12e9e7ac0': 'Teams Toolkit',
};

/** The tenant of every personal Microsoft account. */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/**
 * Returns the API of an audience: a published name, the host of a URL, or null.
 *
 * @example
 * import { resourceName } from 'tokenkeep/ipc';
 *
 * console.log(resourceName('00000003-0000-0000-c000-000000000000')); // Microsoft Graph
 */
export function resourceName(audience: string): string | null {
  const id = audience.toLowerCase();
  if (Object.hasOwn(APIS, id)) return APIS[id] ?? null;
  const host = hostOf(audience);
  if (host === null) return null;
  return Object.hasOwn(HOSTS, host) ? (HOSTS[host] ?? null) : host;
}

/** Returns the IDs and hosts of APIs whose name contains the text (lower case), to search tokens for them. */
export function apisNamed(text: string): string[] {
  return [...Object.entries(APIS), ...Object.entries(HOSTS)]
    .filter(([, name]) => name.toLowerCase().includes(text))
    .map(([id]) => id);
}

export function appName(clientId: string): string | null {
  const id = clientId.toLowerCase();
  return Object.hasOwn(APPS, id) ? (APPS[id] ?? null) : null;
}

/**
 * Returns the host of an absolute URL (http, https, or `api` as in Microsoft's app ID URIs) in lower case; else
 * null, as for several URLs in one text.
 */
function hostOf(text: string): string | null {
  const match = /^(?:https?|api):\/\/([^\s/?#@]+)(?:[/?#]\S*)?$/i.exec(text);
  return match?.[1]?.toLowerCase() ?? null;
}

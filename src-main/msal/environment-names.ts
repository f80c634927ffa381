/**
 * The names that one MSAL application uses for environments. MSAL stores and looks up entities under `preferred_cache` of the authority's
 * metadata, and finds those whose environment is among the `aliases`. Where the metadata come from depends on the app's configuration:
 * `cloudDiscoveryMetadata`, `knownAuthorities`, a table in MSAL, or the network. An entity under a name that is not among the aliases is
 * never found, so each MSAL application gets its entities under the name that its own store or configuration contains.
 */
import { isRecord } from '../cache/json.ts';
import { cachedEnvironment, canonicalEnvironment } from '../cache/schema/authorities.ts';
import type { LiveEntity } from './library.ts';

/** The names in the metadata of one authority. */
interface Authority {
  readonly preferred: string;
  readonly aliases: ReadonlySet<string>;
}

/** Keys of what MSAL resolved, e.g. `authority-metadata-<client id>-<host>`. */
const METADATA_KEY = /^authority-metadata-/;

export class EnvironmentNames {
  readonly #authorities: readonly Authority[];
  readonly #known = new Map<string, string>();

  /**
   * @param entries MSAL's live store, with the metadata that it has resolved
   * @param configured `staticAuthorityOptions` of MSAL's storage, used until MSAL has resolved metadata
   */
  constructor(entries: Readonly<Record<string, LiveEntity>>, configured: unknown) {
    const resolved = Object.keys(entries)
      .filter((key) => METADATA_KEY.test(key))
      .flatMap((key) => authorityOf(entries[key]));
    this.#authorities = [...resolved, ...configuredAuthorities(configured)];
  }

  /** Returns the name under which MSAL looks up an environment of the cache. */
  nameOf(environment: string): string {
    let name = this.#known.get(environment);
    if (name === undefined) {
      name = this.#find(environment)?.preferred ?? cachedEnvironment(environment);
      this.#known.set(environment, name);
    }
    return name;
  }

  /** Whether `newer` returns the same name for every environment looked up so far. */
  isConfirmedBy(newer: EnvironmentNames): boolean {
    if (newer === this) return true;
    for (const [environment, name] of this.#known) if (newer.nameOf(environment) !== name) return false;
    return true;
  }

  #find(environment: string): Authority | undefined {
    const host = environment.toLowerCase();
    const exact = this.#authorities.find(({ aliases }) => aliases.has(host));
    if (exact !== undefined) return exact;
    const cloud = canonicalEnvironment(host);
    const having = (isSame: (alias: string) => boolean): Authority[] =>
      this.#authorities.filter(({ aliases }) => [...aliases].some(isSame));
    const [ofCloud] = having((alias) => canonicalEnvironment(alias) === cloud);
    if (ofCloud !== undefined || host.includes(':')) return ofCloud;
    // MSAL Python leaves the port out. If MSAL knows exactly one port of the host, that one is meant.
    const atPorts = having((alias) => alias.split(':')[0] === host);
    return new Set(atPorts.map(({ preferred }) => preferred)).size === 1 ? atPorts[0] : undefined;
  }
}

function authorityOf(metadata: unknown): Authority[] {
  if (!isRecord(metadata)) return [];
  const { preferred_cache: preferred, aliases } = metadata;
  if (typeof preferred !== 'string' || preferred === '' || !Array.isArray(aliases)) return [];
  const names = aliases.filter((alias) => typeof alias === 'string').map((alias) => alias.toLowerCase());
  return names.length === 0 ? [] : [{ preferred, aliases: new Set(names) }];
}

/** In the order in which MSAL asks: the discovery metadata of the configuration, then `knownAuthorities`. */
function configuredAuthorities(options: unknown): Authority[] {
  if (typeof options !== 'object' || options === null) return [];
  const field = (name: string): unknown => Reflect.get(options, name);
  const host = hostOf(field('canonicalAuthority'));
  if (host === undefined) return [];
  const discovery = field('cloudDiscoveryMetadata');
  const list = isRecord(discovery) && Array.isArray(discovery['metadata']) ? discovery['metadata'] : [];
  const ofHost = list.flatMap(authorityOf).filter(({ aliases }) => aliases.has(host));
  if (ofHost.length > 0) return ofHost.slice(0, 1);
  const known = field('knownAuthorities');
  const isKnown = Array.isArray(known) && known.some((one) => hostOf(one) === host);
  return isKnown ? [{ preferred: host, aliases: new Set([host]) }] : [];
}

/** The host of a URL, or of a host that was given without a scheme; with its port. */
function hostOf(authority: unknown): string | undefined {
  if (typeof authority !== 'string' || authority === '') return undefined;
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#]+)/i.exec(authority)?.[1];
  return host?.toLowerCase();
}

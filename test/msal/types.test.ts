import type * as msal2 from 'msal-node-2';
import type * as msal3 from 'msal-node-3';
import type * as msal5 from 'msal-node-5';
import type * as msal7 from 'msal-node-7';
import { expectTypeOf, it } from 'vitest';
import type { CachePlugin } from '../../src-main/msal/index.ts';

it('the plugin is the ICachePlugin of every major', () => {
  expectTypeOf<CachePlugin>().toExtend<msal2.ICachePlugin>();
  expectTypeOf<CachePlugin>().toExtend<msal3.ICachePlugin>();
  expectTypeOf<CachePlugin>().toExtend<msal5.ICachePlugin>();
  expectTypeOf<CachePlugin>().toExtend<msal7.ICachePlugin>();
});

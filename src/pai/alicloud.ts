/**
 * The two CommonJS packages of Alibaba Cloud. What `import` makes of a CommonJS module that marks a default export
 * differs between Node.js and loaders such as vitest's; `require` gives the same object everywhere.
 */
import { createRequire } from 'node:module';
import type CredentialModule from '@alicloud/credentials';
import type OpenApiModule from '@alicloud/openapi-client';

const require = createRequire(import.meta.url);

export type OpenApi = typeof OpenApiModule;
export type OpenApiClient = OpenApiModule.default;

/** They take 0.1 s and 14 MB to load, which commands that call nobody need not spend. */
export const loadOpenApi = (): OpenApi => require('@alicloud/openapi-client') as OpenApi;

export const loadCredentials = (): typeof CredentialModule =>
  require('@alicloud/credentials') as typeof CredentialModule;

/**
 * The two CommonJS packages of Alibaba Cloud. What `import` makes of a CommonJS module that marks a default export
 * differs between Node.js and loaders such as vitest's; `require` gives the same object everywhere.
 */
import { createRequire } from 'node:module';
import type CredentialModule from '@alicloud/credentials';
import type OpenApiModule from '@alicloud/openapi-client';

const require = createRequire(import.meta.url);

const openApi = require('@alicloud/openapi-client') as typeof OpenApiModule;
const credentials = require('@alicloud/credentials') as typeof CredentialModule;

export const { Config, OpenApiRequest, Params } = openApi;
export const OpenApiClient = openApi.default;
export type OpenApiClient = OpenApiModule.default;
export const Credential = credentials.default;

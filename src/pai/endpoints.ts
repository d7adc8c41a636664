import { type Endpoint, parseEndpoint } from '../domain/endpoint.js';

/** The two products that the mirror reads, as they stand in host names. */
export type Product = 'paiflow' | 'aiworkspace';

/** Where a product of a region is: a host, host:port or URL. */
export type EndpointOf = (product: Product, region: string) => string;

/**
 * The public endpoint. Published region maps disagree with each other, so no region is refused here; inside a VPC the
 * host is `{product}-vpc.{region}.aliyuncs.com`, which takes an override.
 */
export const publicEndpoint: EndpointOf = (product, region) => `${product}.${region}.aliyuncs.com`;

/** Parses each endpoint once. Throws UsageError for text that is none. */
export function endpointTable(endpoints: EndpointOf, options: { readonly allowHttp: boolean }) {
  const known = new Map<string, Endpoint>();
  return (product: Product, region: string): Endpoint => {
    const name = `${product}.${region}`;
    const endpoint = known.get(name) ?? parseEndpoint(endpoints(product, region), options);
    known.set(name, endpoint);
    return endpoint;
  };
}

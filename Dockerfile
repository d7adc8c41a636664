# The service in a container: `docker build -t pai-mirror .`. compose.yaml puts PostgreSQL and Grafana beside it, kubernetes/ has
# manifests. An image that is published names its base by digest, so that it can be made again:
#   docker build --build-arg NODE_IMAGE=node:22-bookworm-slim@sha256:… --build-arg REVISION="$(git rev-parse HEAD)" .
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts of packages are not needed (package.json denies them one by one); a lock file changes less often than the code.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
COPY LICENSE ./
COPY migrations ./migrations
# Whoever builds may have files that only they can read; the image is run by any user.
RUN mkdir /image && cp -R dist migrations package.json LICENSE /image/ && chmod -R a+rX,go-w /image

# The optional packages are the binaries of the embedded PostgreSQL, 60 MB: in a container DATABASE_URL names a server.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Types and source maps are half of what is left, and nothing reads them when the service runs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete \
 && chmod -R a+rX,go-w node_modules

FROM ${NODE_IMAGE}
# A port that is chosen: should another process have it (--network=host), the start ends with a message, where otherwise the
# service would go to a free one, and the health check ask that other process.
ENV NODE_ENV=production PAI_MIRROR_DATA_DIR=/var/lib/pai-mirror HTTP_PORT=8080
WORKDIR /app
# The one place where anything is written, and only by `demo` (its clock): a read-only file system is enough for the rest. A new
# volume takes over owner and mode. The group is that of users who are no user of the image (OpenShift).
RUN install -d -o 1000 -g 0 -m 770 /var/lib/pai-mirror
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /image ./
# Last of all, so that a new revision leaves the layers as they are.
ARG NODE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pai-mirror" \
      org.opencontainers.image.description="Mirrors the pipeline runs and experiment runs of Alibaba Cloud PAI into PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
# `node` of the base image, by number: Kubernetes cannot tell of a name that it is not root.
USER 1000:1000
EXPOSE 8080
# /healthz of whatever HTTP_HOST and HTTP_PORT say, 0.2 s of CPU each time, for which a machine that is far too busy takes more
# than 5. Commands that answer no HTTP are well while they run.
HEALTHCHECK --interval=30s --timeout=15s --start-period=20s --retries=3 \
  CMD ["node", "/app/dist/main.js", "health", "--container"]
# Node.js as the first process hears SIGTERM by the handlers of the service: within 10 seconds everything is down.
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["start"]

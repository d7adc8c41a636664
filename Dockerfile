# The service in a container: `docker build -t pai-mirror .`. compose.yaml puts PostgreSQL and Grafana beside it.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts of packages are not needed (package.json denies them one by one); a lock file changes less often than the code.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# The optional packages are the binaries of the embedded PostgreSQL, 60 MB: in a container DATABASE_URL names a server.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM ${NODE_IMAGE}
ENV NODE_ENV=production PAI_MIRROR_DATA_DIR=/var/lib/pai-mirror
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY migrations ./migrations
# The one place where it writes (the clock of the demo). A new volume takes over the owner of the folder that it covers.
RUN install -d -o node -g node -m 750 /var/lib/pai-mirror
USER node
# Node.js as the first process hears SIGTERM by the handlers of the service: within 10 seconds everything is down.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]

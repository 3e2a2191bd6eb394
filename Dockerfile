# syntax=docker/dockerfile:1
# One bundled file on a distroless base. Releases pass both images as tag@digest.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json ./
COPY hack/build.ts hack/build.ts
COPY hack/bundle hack/bundle
COPY src src
RUN node hack/build.ts

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="larder" \
      org.opencontainers.image.description="Keeps the nodes of a cluster stocked with the container images that matter" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/dist/larder.js /src/package.json /app/
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size=384", "--max-semi-space-size=4", "/app/larder.js"]
CMD ["run"]

# syntax=docker/dockerfile:1
# One bundled file on a distroless base. Releases pass both images as tag@digest.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY hack/build.ts hack/licences.ts hack/
COPY hack/bundle hack/bundle
COPY src src
RUN node hack/build.ts
# What may be in the bundle; LICENCES.txt says what is.
RUN npm sbom --omit=dev --omit=optional --sbom-format=cyclonedx --package-lock-only > dist/larder.cdx.json

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="larder" \
      org.opencontainers.image.description="Keeps the nodes of a cluster stocked with the container images that matter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/larder-dev/larder" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/dist/larder.js /src/package.json /app/
COPY --from=build /src/dist/larder.cdx.json /src/dist/LICENCES.txt /app/
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size=384", "--max-semi-space-size=4", "/app/larder.js"]
CMD ["run"]

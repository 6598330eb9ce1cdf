# An image that contains the sniffer and nothing else. docs/install.md describes how to run it.

FROM rust:1.95-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The sniffer changes to the user 65534, who must be able to create files in /captures.
RUN cargo xtask dist --static \
    && install --directory --owner 65534 --group 65534 --mode 700 /captures

FROM scratch
COPY --from=build /source/target/dist/static/sniffer /sniffer
COPY --from=build --chown=65534:65534 /captures /captures
WORKDIR /captures
ENTRYPOINT ["/sniffer"]

# assessment-svc and starctl (which migrates its database, and rates in Jobs). From the project's
# root: docker build -f deploy/docker/assessment-svc.Dockerfile -t assessment-svc .
# Both stages stand on one image; any Debian 12 will do.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
COPY scripts/packages.sh /src/scripts/packages.sh
RUN bash -c '. /src/scripts/packages.sh && install_packages "${build_packages[@]}"'
COPY . /src
WORKDIR /src
RUN cmake --preset release -DSTARRATINGS_TESTS=OFF \
 && cmake --build --preset release --target assessment-svc starctl \
 && strip build/release/assessment-svc/assessment-svc build/release/starctl/starctl

FROM ${BASE}
COPY deploy/docker/install.sh deploy/docker/sbom.sh /usr/share/starratings/
RUN /usr/share/starratings/install.sh libgrpc++1.51 libgrpc29 libprotobuf32 libsqlite3-0 \
      libpq5 libssl3 libutf8proc2 libjemalloc2 libprometheus-cpp-core1.0 \
      libprometheus-cpp-pull1.0 libabsl20220623
COPY --from=build /src/build/release/assessment-svc/assessment-svc /usr/bin/assessment-svc
COPY --from=build /src/build/release/starctl/starctl /usr/bin/starctl
RUN /usr/share/starratings/sbom.sh /usr/bin/assessment-svc /usr/bin/starctl \
      >/usr/share/starratings/sbom.spdx.json
USER 65532:65532
ENTRYPOINT ["/usr/bin/assessment-svc"]

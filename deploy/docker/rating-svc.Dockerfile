# rating-svc with the schemes that come with it. From the project's root:
# docker build -f deploy/docker/rating-svc.Dockerfile -t rating-svc .
# Both stages stand on one image; any Debian 12 will do.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
COPY scripts/packages.sh /src/scripts/packages.sh
RUN bash -c '. /src/scripts/packages.sh && install_packages "${build_packages[@]}"'
COPY . /src
WORKDIR /src
RUN cmake --preset release -DSTARRATINGS_TESTS=OFF \
 && cmake --build --preset release --target rating-svc \
 && strip build/release/rating-svc/rating-svc

FROM ${BASE}
COPY deploy/docker/install.sh deploy/docker/sbom.sh /usr/share/starratings/
RUN /usr/share/starratings/install.sh libgrpc++1.51 libgrpc29 libprotobuf32 libssl3 \
      libutf8proc2 libjemalloc2 libprometheus-cpp-core1.0 libprometheus-cpp-pull1.0 libabsl20220623
COPY --from=build /src/build/release/rating-svc/rating-svc /usr/bin/rating-svc
RUN /usr/share/starratings/sbom.sh /usr/bin/rating-svc >/usr/share/starratings/sbom.spdx.json
COPY rating-svc/schemes /usr/share/starratings/schemes
USER 65532:65532
ENTRYPOINT ["/usr/bin/rating-svc"]

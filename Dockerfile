# Munjigi in an image with nothing else in it but the C library. Nobody has built this one yet: the tests check what stands in it, not that it runs.
#
#   docker build -t munjigi .
#   docker run -p 127.0.0.1:3000:3000 -v munjigi:/var/lib/munjigi -e MUNJIGI_SERVER__PUBLIC_URL=https://auth.example.com munjigi
#
# The command line, beside it: docker run --rm -it -v munjigi:/var/lib/munjigi munjigi user list

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package munjigi \
 && install -d -m 0700 /out/var/lib/munjigi \
 && install -D target/dist/munjigi /out/usr/bin/munjigi

# glibc and the certificates of the web, no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=nonroot:nonroot /out/ /
# Inside, every address is the container's own; who may reach it is said to `docker run`. Metrics are not asked for here: add
# MUNJIGI_SERVER__OPERATIONS_LISTEN=0.0.0.0:9464 where the container's network is private, and do not publish that port.
ENV MUNJIGI_SERVER__LISTEN=0.0.0.0:3000 \
    MUNJIGI_SERVER__DATA_DIR=/var/lib/munjigi \
    MUNJIGI_LOG__FORMAT=json
WORKDIR /var/lib/munjigi
VOLUME /var/lib/munjigi
EXPOSE 3000
ENTRYPOINT ["/usr/bin/munjigi"]
CMD ["serve"]

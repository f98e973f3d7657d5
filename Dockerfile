# The images of Gatehouse, for those who have Docker:
#
#   docker build --target operator  -t IMG .
#   docker build --target authproxy -t AUTHPROXY_IMG .
#
# Without it, `make images` makes the same programs into images for the local cluster.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS=linux
ARG TARGETARCH
ARG VERSION=unknown
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false" GOTOOLCHAIN=local
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api/ api/
COPY cmd/ cmd/
COPY controllers/ controllers/
COPY internal/ internal/
RUN GOOS="$TARGETOS" GOARCH="$TARGETARCH" go build -ldflags "-s -w -X main.version=$VERSION" -o /out/ ./cmd/operator ./cmd/authproxy

# The gate, beside every MCP server: no shell and no package manager; root certificates are what it needs from the base.
FROM gcr.io/distroless/static-debian12:nonroot AS authproxy
COPY --from=build /out/authproxy /authproxy
USER 65532:65532
ENTRYPOINT ["/authproxy"]

# Last, so that a build without a target makes it.
FROM gcr.io/distroless/static-debian12:nonroot AS operator
COPY --from=build /out/operator /operator
USER 65532:65532
ENTRYPOINT ["/operator"]

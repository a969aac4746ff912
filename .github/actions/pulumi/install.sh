#!/usr/bin/env bash
# Install the Pulumi CLI with its language hosts, at the version and with the checksum of pulumi.sha256 beside this file.
# The checksum is in the repository: a release that is replaced does not bring a checksum of its own.
set -euo pipefail
folder="${1:-/usr/local/bin}"
sum="$(cd "$(dirname "$0")" && pwd)/pulumi.sha256"
read -r _ archive < "$sum"
version="${archive#pulumi-v}"
version="${version%-linux-x64.tar.gz}"
cd "$(mktemp -d)"
curl -fsSLO --proto '=https' --retry 3 "https://github.com/pulumi/pulumi/releases/download/v$version/$archive"
sha256sum --check --strict "$sum"
tar -xzf "$archive"
if [ -w "$folder" ]; then install pulumi/* "$folder"; else sudo install pulumi/* "$folder"; fi

#!/bin/sh
# The contracts' tests, offline once `npm ci` has run here. Arguments go to `forge test`.
set -eu
cd "$(dirname "$0")"
forge=node_modules/@foundry-rs/forge-linux-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')/bin/forge
command -v node >/dev/null || { echo "contracts: node is not installed" >&2; exit 77; }
[ -x "$forge" ] || { echo "contracts: run 'npm ci --ignore-scripts' in contracts/ first" >&2; exit 77; }
node build.mjs --check
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1
exec "$forge" test --offline --use ./solc.mjs -j 2 "$@"

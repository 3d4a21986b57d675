#!/bin/sh
# The contracts' tests, offline once `npm ci` has run here. Arguments go to `forge test`.
set -eu
cd "$(dirname "$0")"
forge=node_modules/@foundry-rs/forge-linux-amd64/bin/forge
command -v node >/dev/null || { echo "contracts: node is not installed" >&2; exit 77; }
[ -x "$forge" ] || { echo "contracts: no forge; run 'npm ci --ignore-scripts' in contracts/ (Linux on amd64 only)" >&2; exit 77; }
node build.mjs --check
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1
exec "$forge" test --offline --use ./solc.mjs -j 2 "$@"

#!/usr/bin/env bash
# Judge what the action's inputs name: annotations on standard output, and SARIF in a file if one is named.
set -euo pipefail

options=(--region "$REGION")
[ -z "$CONFIG" ] || options+=(--config "$CONFIG")
[ "$EACH" != true ] || options+=(--each)
while IFS= read -r parameter; do
  [ -z "$parameter" ] || options+=("--parameter=$parameter")
done <<< "$PARAMETERS"
paths=()
while IFS= read -r path; do
  [ -z "$path" ] || paths+=("$path")
done <<< "$PATHS"

check() {
  # -I and no change of folder: nothing of the folder that is judged is imported.
  local pack="$(cd "$(dirname "$0")/../../../policies" && pwd)"
  "$PYTHON" -I -c 'import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module("identity_scope", run_name="__main__", alter_sys=True)' \
    "$pack" check --format "$1" "${options[@]}" -- "${paths[@]}"
}

code=0
check github || code=$?
if [ -n "$SARIF" ] && [ "$code" -lt 2 ]; then
  check sarif > "$SARIF" || [ $? = 1 ]
fi
[ "$code" != 1 ] || [ "$FAIL" != false ] || code=0
exit "$code"

#!/bin/sh
# One line for each controller.
set -eu
cd /work/cell
for name in *; do
  printf '%-40s revision %s  slot %s  tries %s\n' "$name" "$(cat "$name/revision")" "$(cat "$name/active")" "$(cat "$name/tried" 2>/dev/null || echo 0)"
done | tee /artifacts/rollout.txt

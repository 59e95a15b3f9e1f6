#!/bin/sh
# A controller needs a moment to come up: from the third look on it answers. Usage: probe.sh NAME LOOK
set -eu
running=false
[ "$2" -lt 3 ] || [ "$(cat "/work/cell/$1/active")" != b ] || running=true
echo "running=$running" > "$STELLA_OUTPUT"
echo "$1: look $2, running: $running"

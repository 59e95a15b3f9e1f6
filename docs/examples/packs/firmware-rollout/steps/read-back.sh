#!/bin/sh
# Usage: read-back.sh NAME SHA256
set -eu
found=$(sha256sum < "/work/cell/$1/slot-b" | cut -c1-64)
[ "$found" = "$2" ] || { echo "$1: slot B holds $found" >&2; exit 1; }
echo "$1: slot B holds the image"

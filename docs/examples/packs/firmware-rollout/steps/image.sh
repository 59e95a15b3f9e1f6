#!/bin/sh
# The image that everybody talks about from here on, by its digest.
set -eu
size=$(stat -Lc %s /inputs/image)
[ "$size" -gt 0 ] || { echo 'the image is empty' >&2; exit 1; }
sum=$(sha256sum < /inputs/image | cut -c1-64)
printf 'sha256=%s\nbytes=%s\n' "$sum" "$size" > "$STELLA_OUTPUT"
echo "image of $size bytes, sha256 $sum"
date -u +%s > /work/cell.lock

#!/bin/sh
# Writes the image to the slot that is not active. The link of some controllers fails at first: exit 75, try again.
# Usage: LINK_FAILS=N write.sh NAME
set -eu
here=/work/cell/$1
tried=$(cat "$here/tried" 2>/dev/null || echo 0)
echo $((tried + 1)) > "$here/tried"
if [ "$tried" -lt "$LINK_FAILS" ]; then
  echo "$1: the link failed" >&2
  exit 75
fi
cp /inputs/image "$here/slot-b.new"
mv "$here/slot-b.new" "$here/slot-b"
echo "$1: written at try $((tried + 1))"

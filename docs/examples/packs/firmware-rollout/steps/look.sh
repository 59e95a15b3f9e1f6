#!/bin/sh
# What is in the cell. A rehearsal has its controllers in the workspace: two slots, and a file that says which is active.
# Usage: look.sh NAME REVISION
set -eu
here=/work/cell/$1
mkdir -p "$here"
[ -e "$here/active" ] || { echo "revision $2, as delivered" > "$here/slot-a"; echo a > "$here/active"; }
echo "$2" > "$here/revision"
echo "$1: revision $2, runs slot $(cat "$here/active")"

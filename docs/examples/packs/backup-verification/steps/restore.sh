#!/bin/sh
# Restores into the run's workspace, anew each time. Owners, modes and devices of the backup do not matter here.
set -eu
rm -rf /work/restored
mkdir /work/restored
tar -C /work/restored --no-same-owner --no-same-permissions -xf /inputs/backup
files=$(find /work/restored -type f | wc -l)
bytes=$(find /work/restored -type f -printf '%s\n' | awk '{n += $1} END {printf "%d", n}')
newest=$(find /work/restored -type f -printf '%T@\n' | sort -n | tail -1)
now=$(date +%s)
newest=${newest:-0}
{
  echo "files=$files"
  echo "bytes=$bytes"
  echo "newestDays=$(((now - ${newest%.*}) / 86400))"
} > "$STELLA_OUTPUT"
echo "restored $files files, $bytes bytes"
[ "$files" -gt 0 ] || { echo 'the backup holds no file' >&2; exit 1; }

#!/bin/sh
# Puts the rows together, the most urgent first, and counts them.
set -eu
mkdir -p /work/rows
{
  echo 'state,days,until,subject,file'
  for state in expired unreadable expiring good; do
    find /work/rows -type f -exec cat {} + | grep "^$state," | LC_ALL=C sort -t, -k2,2n -k5 || true
  done
} > /artifacts/certificates.csv
count() { grep -c "^$1," /artifacts/certificates.csv || true; }
{
  echo "expired=$(count expired)"
  echo "expiring=$(count expiring)"
  echo "unreadable=$(count unreadable)"
} > "$STELLA_OUTPUT"
cat "$STELLA_OUTPUT"

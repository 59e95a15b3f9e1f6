#!/bin/sh
# Every file that was summed at backup time is here with that sum; what is here besides is counted and listed.
set -eu
cd /work/restored
sha256sum -c --strict --quiet /inputs/sums > /work/differing 2>&1 || failed=1
cut -c67- /inputs/sums | LC_ALL=C sort > /work/expected
find . -type f | LC_ALL=C sort > /work/there
extra=$(LC_ALL=C comm -13 /work/expected /work/there | tee /artifacts/extra-files.txt | wc -l)
cp /work/differing /artifacts/differing-files.txt
echo "same=$(($(wc -l < /inputs/sums) - $(grep -c ': FAILED' /work/differing || true)))" > "$STELLA_OUTPUT"
echo "extra=$extra" >> "$STELLA_OUTPUT"
if [ -n "${failed:-}" ]; then
  cat /work/differing
  echo 'the backup is not what was saved; see differing-files.txt among the artifacts' >&2
  exit 1
fi
echo "all $(wc -l < /inputs/sums) files have the sums of backup time; $extra others"

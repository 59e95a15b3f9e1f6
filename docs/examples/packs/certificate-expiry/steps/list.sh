#!/bin/sh
# Unpacks the folder and lists its PEM files as a JSON list of paths. A file's name is the publisher's text, so only plain
# names are taken; others are counted and named in the log.
set -eu
mkdir -p /work/pem
tar -C /work/pem --no-same-owner --no-same-permissions -xf /inputs/certificates
cd /work/pem
find . -type f \( -name '*.pem' -o -name '*.crt' -o -name '*.cer' \) | LC_ALL=C sort > /work/found
grep -v '^\./[A-Za-z0-9._/-]*$' /work/found | sed 's/^/not read, its name has other characters than letters, digits, ._-: /' || true
grep '^\./[A-Za-z0-9._/-]*$' /work/found > /work/named || true
printf 'files=[%s]\n' "$(sed 's/^\.\/\(.*\)$/"\1"/' /work/named | paste -sd, -)" > "$STELLA_OUTPUT"
echo "$(wc -l < /work/named) files to read"

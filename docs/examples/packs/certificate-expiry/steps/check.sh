#!/bin/sh
# One row for each certificate of a file: state, days left, end, subject, file. A file may hold a chain.
# Usage: check.sh FILE NUMBER WARN-DAYS
set -eu
file=$1 row=/work/rows/$2 days=$3 now=$(date +%s) count=0
mkdir -p /work/rows "/tmp/split"
awk -v to=/tmp/split/ '/-----BEGIN CERTIFICATE-----/ {n++} n {print > (to sprintf("%04d", n))}' "/work/pem/$file"
: > "$row"
for one in /tmp/split/*; do
  [ -e "$one" ] || break
  count=$((count + 1))
  if ! end=$(openssl x509 -in "$one" -noout -enddate 2>/dev/null); then
    echo "unreadable,,,,$file" >> "$row"
    continue
  fi
  until=$(date -u -d "${end#notAfter=}" +%s)
  left=$(( (until - now) / 86400 ))
  state=good
  [ "$left" -ge "$days" ] || state=expiring
  [ "$until" -gt "$now" ] || state=expired
  subject=$(openssl x509 -in "$one" -noout -subject -nameopt RFC2253,-esc_msb,utf8 | sed 's/^subject=//; s/"/""/g')
  echo "$state,$left,$(date -u -d "@$until" +%Y-%m-%dT%H:%M:%SZ),\"$subject\",$file" >> "$row"
done
[ "$count" -gt 0 ] || echo "unreadable,,,,$file" >> "$row"
cat "$row"

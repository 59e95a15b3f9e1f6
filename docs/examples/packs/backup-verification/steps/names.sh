#!/bin/sh
# Links that lead out of the backup would restore onto something else on the day it is needed.
set -eu
cd /work/restored
find . -type l | while IFS= read -r link; do
  to=$(readlink -m -- "$link")
  case $to in
    /work/restored/*) ;;
    *) printf 'leads out of the backup: %s -> %s\n' "$link" "$(readlink -- "$link")" ;;
  esac
done | tee /artifacts/leading-out.txt

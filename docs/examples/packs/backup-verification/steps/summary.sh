#!/bin/sh
# What an auditor reads.
set -eu
{
  echo "files restored    $FILES"
  echo "bytes restored    $BYTES"
  echo "same as saved     $SAME"
  echo "not in the list   $EXTRA"
  echo "links leading out $(wc -l < /artifacts/leading-out.txt)"
  echo "databases checked $DATABASES"
} | tee /artifacts/restore.txt

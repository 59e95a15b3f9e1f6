#!/bin/sh
# Checks the pages of one SQLite database of the backup. Usage: pages.sh PATH
set -eu
case $1 in */../* | ../* | */.. | /*) echo "$1 leads out of the backup" >&2; exit 2 ;; esac
result=$(sqlite3 "/work/restored/$1" 'PRAGMA integrity_check')
echo "$1: $result"
[ "$result" = ok ]

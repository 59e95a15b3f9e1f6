#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plays the whole sealed round trip with real parts: site office, publisher, appliance, two approvers, auditor, each with a
# home of its own, and a real file system on a loop device that travels between them. Prints each command and what it means.
#
#     demo/round-trip.sh /path/to/stella        (./dev demo builds it and calls this)
set -euo pipefail
exec </dev/null
stella=$(readlink -f "$1")
source_folder=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
umask 077
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

work=$(mktemp -d "${TMPDIR:-/tmp}/stella-demo.XXXXXX")
medium=$work/medium
loop="" server="" console="" finished=""

clean_up() {
  local status=$?
  trap - EXIT INT TERM HUP
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$console" ] || kill "$console" 2>/dev/null || true
  mountpoint -q "$medium" 2>/dev/null && "${as_root[@]}" umount "$medium" || true
  [ -z "$loop" ] || "${as_root[@]}" losetup -d "$loop" 2>/dev/null || true
  chmod -R u+rwX "$work" 2>/dev/null || true
  "${as_root[@]}" rm -rf "$work"
  [ -n "$finished" ] || printf '\nThe demo did not get to its end (exit %s).\n' "$status" >&2
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

bold="" dim="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'; fi
chapter() { printf '\n%s━━ %s%s\n' "$bold" "$*" "$plain"; }
means() { printf '%s   %s%s\n' "$dim" "$*" "$plain"; }

# `at WHO EXPECTED-STATUS COMMAND...`: shows and runs a command in WHO's home; another status ends the demo.
at() {
  local who=$1 expected=$2 status=0
  shift 2
  local shown="" word
  for word in "$@"; do
    case $word in *[!A-Za-z0-9_./:=,@%+-]*) word=\'$word\' ;; esac  # so that the line can be pasted
    shown+="${shown:+ }$word"
  done
  shown=${shown//"'$stella'"/stella}
  shown=${shown//"$work/"/}
  printf '%s%s$%s %s\n' "$bold" "$who" "$plain" "${shown//$'\n'/ }"
  if [ "$1" = stella ]; then shift; set -- "$stella" "$@"; fi
  (cd "$work/$who" && STELLA_HOME="$work/$who/home" "$@") 2>&1 | sed "s#$work/##g; s#^#  #" || status=${PIPESTATUS[0]}
  [ "$status" -eq "$expected" ] || { printf 'expected exit %s, got %s\n' "$expected" "$status" >&2; exit 1; }
  [ "$expected" -eq 0 ] || printf '  %s(exit %s, as it should be)%s\n' "$dim" "$status" "$plain"
}
home_of() { STELLA_HOME="$work/$1/home" "$stella" "${@:2}"; }
public_line() { grep -v -- '-----' "$1" | tr -d '\n'; }

for who in office publisher appliance ada ben auditor; do mkdir -p "$work/$who"; done
mkdir -p "$work/courier" "$medium"   # courier: what people carry by hand: .pub files and the signed policy, nothing else

mount_medium() { "${as_root[@]}" mount -o nosuid,nodev,noexec "$loop" "$medium"; }
carry() {  # takes the stick out and puts it in again somewhere else
  "${as_root[@]}" umount "$medium"
  mount_medium
  means "(the stick is pulled and carried to: $1)"
}

make_medium() {
  truncate -s 256M "$work/stick.img"
  local kind=ext4
  if grep -qw vfat /proc/filesystems && command -v mkfs.vfat >/dev/null; then kind=vfat; fi
  if [ "$kind" = vfat ]; then mkfs.vfat -n STELLA "$work/stick.img" >/dev/null; else mkfs.ext4 -q -m 0 -E root_owner="$(id -u):$(id -g)" "$work/stick.img"; fi
  loop=$("${as_root[@]}" losetup -f --show "$work/stick.img")
  mount_medium
  means "a $kind file system on $loop stands in for a USB stick"
}

write_policy() {
  cat >"$work/office/site/policy.yaml" <<YAML
schema: stella.site.v1
site: plant-7
version: 1
mode: sealed
homes: any
admins: {threshold: 1, keys: [$(public_line "$work/office/admin.key.pub")]}
appliances: [{id: apl-demo, key: $(public_line "$work/courier/apl.pub")}]
publishers: [{name: OT Tools, key: $(public_line "$work/courier/publisher.key.pub")}]
tenants:
  - name: plant-7
    packs: ["*"]
    operators: [{name: Ana Ortiz, user: $(id -un)}]
    approvers:
      - {name: Ada Obi, keys: [$(public_line "$work/courier/ada.key.pub")], scopes: [packs.approve], roles: [safety]}
      - {name: Ben Keller, keys: [$(public_line "$work/courier/ben.key.pub")], scopes: [packs.approve]}
network:
  dns: block
  allow:
    - {host: baseline.site.example, address: 127.77.0.10, port: 8077, loopback: true, reason: naming rules for baselines}
approvals: {defaultExpiry: PT24H, allowRequesterToApprove: false, onAppliance: false}
notifications: [{topic: "pack.run.*", to: spool}]
YAML
}

start_server() {
  mkdir -p "$work/server"
  printf '{"policy": "baseline names are plant-7/<date>"}\n' >"$work/server/policy.json"
  python3 -m http.server 8077 --bind 127.77.0.10 --directory "$work/server" >/dev/null 2>&1 &
  server=$!
  for _ in $(seq 50); do (exec 3<>/dev/tcp/127.77.0.10/8077) 2>/dev/null && return 0; sleep 0.1; done
  echo "the demo's small server did not start" >&2
  exit 1
}

. "$source_folder/demo/chapters.sh"
chapter "0  Site office: keys, identity, one signed policy"
play_office
chapter "1  Publisher, outside: packs and a mirror on removable media"
play_publisher
chapter "2  Appliance, sealed: import, plan, run to the gate"
play_appliance
chapter "3  Two approvers at desks without a network"
play_approvers
chapter "4  Auditor: nothing of ours first, then every decision replayed"
play_auditor
chapter "5  The wall: a pack that calls home"
play_wall
chapter "6  On call: who is told, what the stick carries out, what can be watched"
play_on_call
finished=yes
chapter "Done"
cat <<'TEXT'
  · one signed policy named every key; nothing else was trusted on the way
  · the packs came in over a verified TUF mirror on a stick
  · the run stopped at its gate until two people had signed what they read
  · the evidence holds with sha256sum and ssh-keygen alone; each tampering was named
  · every attempt of the hostile pack to call out was blocked and named
  · the people on call were told through the spool, the console and metrics, and nothing left the site by itself
TEXT

# SPDX-License-Identifier: Apache-2.0
# The six chapters of the demo; sourced by round-trip.sh, which has `at`, `means`, `carry` and the rest.
# shellcheck shell=bash disable=SC2154

passphrase() {  # a passphrase file of one person
  printf '%s\n' "$2" >"$work/$1/passphrase"
  chmod 600 "$work/$1/passphrase"
}

play_office() {
  local who
  passphrase ada "otter boils nine lanterns"
  passphrase ben "slow copper tram whistle"
  passphrase publisher "granite spoon argues"
  passphrase office "violet anchor hums"
  means "people make their own keys; only the .pub halves travel"
  at office 0 stella key new --out admin.key --name "Site admin" --passphrase-file passphrase --kdf-memory 64MiB
  at publisher 0 stella key new --out publisher.key --name "OT Tools" --passphrase-file passphrase --kdf-memory 64MiB
  for who in root1 root2 root3; do
    at publisher 0 stella key new --out "$who.key" --name "mirror $who" --passphrase-file passphrase --kdf-memory 64MiB
  done
  for who in ada ben; do
    at "$who" 0 stella key new --out "$who.key" --name "$who" --passphrase-file passphrase --kdf-memory 64MiB
    cp "$work/$who/$who.key.pub" "$work/courier/"
  done
  cp "$work/publisher/publisher.key.pub" "$work/office/admin.key.pub" "$work/courier/"
  means "the appliance makes its own identity; its public half goes to the office"
  at appliance 0 stella site identity --id apl-demo --out apl.pub
  cp "$work/appliance/apl.pub" "$work/courier/"
  at office 0 stella site init site
  write_policy
  means "the office fills in who may publish, approve, operate, and the one host steps may reach"
  at office 0 stella site check site/policy.yaml
  at office 0 stella site sign site/policy.yaml --key admin.key --passphrase-file passphrase --out policy.dsse.json
  cp "$work/office/policy.dsse.json" "$work/courier/"
  means "the appliance takes the policy only because the admin's key, given by hand, signed it"
  at appliance 0 stella site apply "$work/courier/policy.dsse.json" --trust "$work/courier/admin.key.pub"
}

play_publisher() {
  make_medium
  means "a scaffold shows what a pack looks like; the demo's packs are in docs/examples/packs"
  at publisher 0 stella pack init my-first-pack
  cp -r "$source_folder/docs/examples/packs" "$work/publisher/packs"
  at publisher 0 stella pack build packs/installed-files --key publisher.key --passphrase-file passphrase --out installed-files.pack
  at publisher 0 stella pack build packs/call-home --key publisher.key --passphrase-file passphrase --out call-home.pack
  at publisher 0 stella pack validate --bundle installed-files.pack
  means "the mirror's root needs two of three keys; the third one's owner gave only the public half"
  at publisher 0 stella mirror init mirror --name outside-1 --root-key root1.key --root-key root2.key --root-key root3.key.pub \
    --threshold 2 --passphrase-file passphrase
  at publisher 0 stella mirror add mirror installed-files.pack call-home.pack
  at publisher 0 stella mirror publish mirror --to "$medium" --passphrase-file passphrase
}

play_appliance() {
  carry appliance
  local root
  root=$(echo "$medium"/STELLA-MIRROR/*/metadata/1.root.json)
  means "the root's digest came from the publisher by voice, not on the stick"
  at appliance 0 stella mirror trust "$root" --expect "sha256:$(sha256sum "$root" | cut -d' ' -f1)"
  at appliance 0 stella pack mirror pull --from "$medium"
  at appliance 0 stella pack mirror list
  means "the secret goes from standard input into the sealed vault; no verb prints it again"
  passphrase appliance "brass kettle morning"
  at appliance 0 stella vault init --passphrase-file passphrase --kdf-memory 64MiB
  at appliance 0 bash -c "printf %s demo-baseline-key-7f3a91 | '$stella' vault put baseline-key --scope baseline --passphrase-file passphrase"
  at appliance 0 tar -C /var/lib/dpkg -cf dpkg.tar info status
  printf '{"dpkg": "dpkg.tar"}\n' >"$work/appliance/inputs.json"
  start_server
  at appliance 0 stella pack plan --pack installed-files:1.0.0 --inputs inputs.json
  means "the run does its work and stops at the gate with exit 7"
  at appliance 7 stella pack run --pack installed-files:1.0.0 --inputs inputs.json --passphrase-file passphrase
  run=$(home_of appliance --output json pack runs list | python3 -c 'import json,sys; print(json.load(sys.stdin)["runs"][0]["runId"])')
  if home_of appliance pack runs logs "$run" | grep -q 'demo-baseline-key-7f3a91'; then
    echo "the secret stands in a log" >&2
    exit 1
  fi
}

play_approvers() {
  local who other plan_hash
  at appliance 0 stella pack approve --run "$run" --gate baseline-review --offline-request --out "$medium"
  plan_hash=$(home_of appliance --output json pack runs show "$run" | python3 -c 'import json,sys; print(json.load(sys.stdin)["planHash"])')
  for who in ada ben; do
    carry "$who's desk"
    at "$who" 0 stella approval review "$medium" --trust "$work/courier/admin.key.pub"
    at "$who" 0 stella approval sign "$medium" --key "$who.key" --passphrase-file passphrase --trust "$work/courier/admin.key.pub" \
      --decision approved --comment "Read the report; proceeding." --plan-hash "$plan_hash" --yes
  done
  carry appliance
  for other in "$medium"/RES-*.json; do
    at appliance 0 stella pack approve --offline-response "$other"
  done
  means "enough people signed: the run goes on, the step behind the gate gets its secret"
  at appliance 0 stella pack runs resume --run "$run" --passphrase-file passphrase
  at appliance 0 stella pack runs logs "$run" --step sign-off
}

refuses() { at auditor 6 stella evidence verify "$1" --trust "$work/courier/admin.key.pub"; }

play_auditor() {
  at appliance 0 stella pack runs export --run "$run" --media "$medium"
  carry auditor
  local bag copy
  bag=$(echo "$medium"/STELLA-EVIDENCE/*)
  means "first with coreutils and OpenSSH only; the auditor's allowed_signers comes from the signed policy, not from the stick"
  at auditor 0 bash -c "cd $bag && sha256sum -c --strict --quiet SHA256SUMS && echo every listed file: OK"
  at auditor 0 stella site apply "$work/courier/policy.dsse.json" --trust "$work/courier/admin.key.pub"
  at auditor 0 bash -c "'$stella' site show --allowed-signers > allowed_signers && cat allowed_signers"
  at auditor 0 bash -c "ssh-keygen -Y verify -f allowed_signers -I apl-demo -n stella-evidence -s $bag/SHA256SUMS.sshsig < $bag/SHA256SUMS"
  means "then the decisions, from the admin's key down"
  at auditor 0 stella evidence verify "$bag" --trust "$work/courier/admin.key.pub"

  means "one byte of a log flipped"
  copy=$work/auditor/flipped-log
  cp -r "$bag" "$copy"
  python3 "$source_folder/demo/tamper.py" flip "$(find "$copy/data/logs" -type f -size +0 | sort | head -1)"
  at auditor 1 bash -c "cd $copy && sha256sum -c --strict --quiet SHA256SUMS"
  refuses "$copy"
  means "one byte of SHA256SUMS flipped"
  copy=$work/auditor/flipped-list
  cp -r "$bag" "$copy"
  python3 "$source_folder/demo/tamper.py" flip "$copy/SHA256SUMS"
  at auditor 255 bash -c "ssh-keygen -Y verify -f allowed_signers -I apl-demo -n stella-evidence -s $copy/SHA256SUMS.sshsig < $copy/SHA256SUMS"
  refuses "$copy"
  means "the whole bag signed again with somebody else's key"
  copy=$work/auditor/signed-again
  cp -r "$bag" "$copy"
  at auditor 0 stella key new --out mallory.key --name mallory --no-passphrase
  python3 "$source_folder/demo/tamper.py" sign-again "$copy" "$work/auditor/mallory.key"
  refuses "$copy"
}

play_wall() {
  means "signed by the listed publisher: only the sandbox stands in its way"
  at appliance 5 stella pack run --pack call-home:1.0.0
}

start_console() {
  STELLA_HOME=$work/appliance/home "$stella" serve --listen 127.0.0.1:8079 >"$work/console.log" 2>&1 &
  console=$!
  for _ in $(seq 100); do curl -sf http://127.0.0.1:8079/readyz >/dev/null && return 0; sleep 0.1; done
  cat "$work/console.log" >&2
  exit 1
}

play_on_call() {
  local blocked
  blocked=$(home_of appliance --output json pack runs list --pack call-home | python3 -c 'import json,sys; print(json.load(sys.stdin)["runs"][0]["runId"])')
  means "what to tell whom, and a folder without secrets for the stick"
  at appliance 0 stella pack runs escalate "$blocked" --out "$medium"
  means "nothing may leave a sealed site: what people should be told lies in the spool until a stick carries it out"
  at appliance 0 stella spool list
  at appliance 0 stella spool export --media "$medium"
  at appliance 0 stella logs search --pack call-home --grep 'vendor|refused' --limit 3
  means "the console listens on loopback only; reading a run takes a token, and no token opens a gate"
  umask 077
  home_of appliance --output json token new --scopes packs.read --expires 1h |
    python3 -c 'import json,sys; print("Authorization: Bearer " + json.load(sys.stdin)["token"])' >"$work/appliance/bearer"
  start_console
  at appliance 0 curl -s -o /dev/null -w '%{http_code} without a token\n' "http://127.0.0.1:8079/api/runs/$run"
  at appliance 0 curl -s -o run.json -w '%{http_code} with one\n' -H @bearer "http://127.0.0.1:8079/api/runs/$run"
  at appliance 0 curl -s -N -m 20 -H @bearer "http://127.0.0.1:8079/task-runner/runs/$blocked/events"
  at appliance 0 bash -c "curl -s http://127.0.0.1:8079/metrics | grep -E '^pack_(run|gate_wait_seconds_count)'"
  kill "$console" && wait "$console" 2>/dev/null || true
  console=""
}

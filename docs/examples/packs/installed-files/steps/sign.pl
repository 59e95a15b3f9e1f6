#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The sign-off: an HMAC-SHA256 (RFC 2104) over the SBOM with the secret baseline-key, and what it stands on.
# perl-base has no Digest::SHA, so coreutils' sha256sum does the hashing; the key goes to it by pipe, never as an argument.
use strict;
use warnings;
use lib '/pack/steps';
use Text qw(json_text read_file write_file output sha256_of_file);

# SHA-256 of pieces, as 32 raw bytes; a piece is bytes, or a reference to a file's path.
sub sha256 {
  my @pieces = @_;
  my $result = '/tmp/sum';
  my $pid = open(my $sum, '|-') // die "fork: $!\n";
  if ($pid == 0) {
    open STDOUT, '>', $result or die "$result: $!\n";
    exec 'sha256sum' or die "sha256sum: $!\n";
  }
  binmode $sum;
  for my $piece (@pieces) {
    if (!ref $piece) { print {$sum} $piece; next }
    open my $file, '<:raw', $$piece or die "$$piece: $!\n";
    while (read $file, my $block, 1 << 20) { print {$sum} $block }
    close $file or die "$$piece: $!\n";
  }
  close $sum or die "sha256sum failed\n";
  return pack 'H64', read_file($result, 100);
}

my $key = read_file('/run/secrets/baseline-key', 4096);
die "the key is empty\n" if $key eq '';
$key = sha256($key) if length $key > 64;
$key .= "\0" x (64 - length $key);
my $sbom = '/artifacts/sbom.spdx.json';
my $hmac = unpack 'H*', sha256($key ^ ("\x5c" x 64), sha256($key ^ ("\x36" x 64), \$sbom));

my %of = map { /^(\w+)\s+(\d+)$/ ? ($1 => $2) : () } split /\n/, read_file('/artifacts/verification.txt');
my $counts = join ', ', map { json_text($_) . ': ' . ($of{$_} // 0) } qw(same changed missing unreadable invisible);
my $approvers = $ENV{APPROVERS} || '[]';  # a JSON list, from the run's own record of the gate
write_file('/artifacts/baseline.json', sprintf(<<'JSON', json_text($ENV{LABEL}), json_text(sha256_of_file($sbom)), json_text($hmac), $counts, json_text(sha256_of_file('/artifacts/policy.json')), $approvers, json_text($ENV{STELLA_RUN_ID}), json_text($ENV{STELLA_PLAN_HASH})));
{
  "schema": "installed-files.baseline.v1",
  "label": %s,
  "sbom": {"file": "sbom.spdx.json", "sha256": %s, "hmacSha256": %s},
  "files": {%s},
  "rules": {"file": "policy.json", "sha256": %s},
  "approvers": %s,
  "run": %s,
  "planHash": %s
}
JSON
output(hmac => $hmac);
print "baseline.json: HMAC-SHA256 of sbom.spdx.json is $hmac\n";

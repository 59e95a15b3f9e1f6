#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Says which packages came, went or changed since the previous SBOM.
use strict;
use warnings;
use lib '/pack/steps';
use Text qw(read_file read_json write_file output);

sub versions {
  my ($path) = @_;
  my $document = read_json(read_file($path, 256 << 20));
  die "$path is no SPDX 2.3 document\n"
    unless ref $document eq 'HASH' && ($document->{spdxVersion} // '') eq 'SPDX-2.3' && ref $document->{packages} eq 'ARRAY';
  my %version_of;
  for my $package (@{$document->{packages}}) {
    next unless ref $package eq 'HASH' && defined $package->{SPDXID};
    $version_of{$package->{SPDXID}} = "$package->{name} " . ($package->{versionInfo} // '');
  }
  return \%version_of;
}

my ($before, $now) = (versions('/inputs/previous'), versions('/artifacts/sbom.spdx.json'));
my @added = map { "added   $now->{$_}" } sort grep { !exists $before->{$_} } keys %$now;
my @removed = map { "removed $before->{$_}" } sort grep { !exists $now->{$_} } keys %$before;
my @changed = map { "changed $before->{$_} -> $now->{$_}" } sort grep { exists $now->{$_} && $now->{$_} ne $before->{$_} } keys %$before;

my $text = join '', map { s/[\x00-\x1f\x7f]/?/gr . "\n" } @added, @removed, @changed;
write_file('/artifacts/changes.txt', $text eq '' ? "nothing changed\n" : $text);
output(added => scalar @added, removed => scalar @removed, changed => scalar @changed);
printf "%d added, %d removed, %d changed since the previous SBOM\n", scalar @added, scalar @removed, scalar @changed;

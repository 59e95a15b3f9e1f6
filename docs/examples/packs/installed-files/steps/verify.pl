#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Compares every installed file that a step can see with the MD5 sum that dpkg recorded when it was installed.
# A step sees the appliance's /usr with its links /bin /sbin /lib*, and nothing else: the rest is counted, not guessed.
use strict;
use warnings;
use lib '/pack/steps';
use Text qw(write_file output);

my $folder = '/tmp/dpkg';
mkdir $folder or die "$folder: $!\n";
system('tar', '-C', $folder, '--no-same-owner', '-xf', '/inputs/dpkg', '--wildcards', 'info/*.md5sums') == 0
  or die "the input dpkg is not a tar of dpkg's info folder\n";

my (%sum_of, %package_of, %count, @findings);
$count{$_} = 0 for qw(same changed missing unreadable invisible);

for my $list (sort glob "$folder/info/*.md5sums") {
  my ($package) = $list =~ m{([^/]+)\.md5sums\z};
  open my $lines, '<:raw', $list or die "$list: $!\n";
  while (my $line = <$lines>) {
    chomp $line;
    my ($sum, $path) = $line =~ m{^([0-9a-f]{32})\s+(?:\./)?(.+)\z} or next;
    if ($path !~ m{^(?:usr|bin|sbin|lib[^/]*)/} || $path =~ m{(?:^|/)\.\.(?:/|\z)}) { $count{invisible}++; next }
    $sum_of{"/$path"} = $sum;
    $package_of{"/$path"} = $package;
  }
  close $lines;
}

sub finding {
  my ($kind, $path) = @_;
  $count{$kind}++;
  push @findings, "$kind $package_of{$path} $path";
}

# What can be read is summed in batches; what cannot says why.
my @readable;
for my $path (sort keys %sum_of) {
  if (-l $path && !-e _ && !-e $path) { $count{invisible}++ }  # the link leads out of what a step sees
  elsif (!-e $path) { finding('missing', $path) }
  elsif (!-r $path) { finding('unreadable', $path) }
  else { push @readable, $path }
}
while (my @batch = splice @readable, 0, 500) {
  my %seen;
  open my $sums, '-|', 'md5sum', '-z', '--', @batch or die "md5sum: $!\n";
  {
    local $/ = "\0";
    while (my $entry = <$sums>) {
      chomp $entry;
      my ($sum, $path) = $entry =~ /^([0-9a-f]{32})  (.*)\z/s or next;
      $seen{$path} = $sum;
    }
  }
  close $sums;  # a file that could not be read is found below, by its missing sum
  for my $path (@batch) {
    if (!defined $seen{$path}) { finding('unreadable', $path) }
    elsif ($seen{$path} eq $sum_of{$path}) { $count{same}++ }
    else { finding('changed', $path) }
  }
}

die "the input dpkg lists no file of a package\n" unless %sum_of || $count{invisible};
my $summary = join '', map { sprintf "%-10s %d\n", $_, $count{$_} } qw(same changed missing unreadable invisible);
write_file('/artifacts/verification.txt', $summary . join('', map { "$_\n" } sort @findings));
output(map { ($_ => $count{$_}) } keys %count);
print $summary;
print "$_\n" for grep { defined } (sort @findings)[0 .. 19];
print 'and ', @findings - 20, " more in verification.txt\n" if @findings > 20;

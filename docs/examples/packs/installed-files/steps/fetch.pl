#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Reads the site's rules for baselines over HTTP from the one host that pack and site allow: fetch.pl HOST PORT PATH
use strict;
use warnings;
use IO::Socket::INET;
use lib '/pack/steps';
use Text qw(write_file output sha256_of_file);

my ($host, $port, $path) = @ARGV;
my $most = 65536;  # bytes of an answer
local $SIG{ALRM} = sub { die "$host port $port did not answer within 30 seconds\n" };
alarm 30;
my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp') or die "$host port $port: $@\n";
print {$socket} "GET $path HTTP/1.0\r\nHost: $host\r\nConnection: close\r\n\r\n" or die "$host: $!\n";
my $answer = '';
while (length $answer <= $most) {
  my $count = sysread $socket, $answer, 8192, length $answer;
  die "$host: $!\n" unless defined $count;
  last unless $count;
}
die "the answer of $host is larger than $most bytes\n" if length $answer > $most;
my ($head, $body) = split /\r?\n\r?\n/, $answer, 2;
die "$host did not answer with HTTP\n" unless defined $body && $head =~ m{^HTTP/1\.[01] (\d{3})};
die "$host answered $1 for $path\n" unless $1 == 200;
write_file('/artifacts/policy.json', $body);
output(sha256 => sha256_of_file('/artifacts/policy.json'));
print 'read ', length $body, " bytes of rules from $host\n";

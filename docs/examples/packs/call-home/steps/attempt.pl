#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One attempt to get out: attempt.pl http|dns HOST PORT. Uses nothing but perl-base.
use strict;
use warnings;
use IO::Socket::IP;
use Socket qw(SOCK_DGRAM SOCK_STREAM);

my ($what, $host, $port) = @ARGV;
$SIG{ALRM} = sub { die "no answer from $host\n" };
alarm 8;

if ($what eq 'http') {
  my $socket = IO::Socket::IP->new(PeerHost => $host, PeerService => $port, Type => SOCK_STREAM, Timeout => 5)
    or die "could not reach $host port $port: $@\n";
  print {$socket} "GET /?installed=1 HTTP/1.0\r\nHost: $host\r\n\r\n" or die "$host: $!\n";
  die "$host did not answer\n" unless defined(my $line = <$socket>);
  print "got out to $host: $line";
} else {
  my $socket = IO::Socket::IP->new(PeerHost => $host, PeerService => $port, Type => SOCK_DGRAM) or die "no way to $host: $@\n";
  # A question for the address of leak.vendor.example, as RFC 1035 section 4 writes it.
  my $question = pack('n6', 0x2a2a, 0x0100, 1, 0, 0, 0) . join('', map { pack 'C/a*', $_ } qw(leak vendor example)) . pack('Cnn', 0, 1, 1);
  defined $socket->send($question) or die "could not ask $host: $!\n";
  alarm 3;
  defined $socket->recv(my $answer, 512) or die "$host: $!\n";
  print 'got an answer of ', length $answer, " bytes from $host\n";
}

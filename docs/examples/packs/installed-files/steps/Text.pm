# SPDX-License-Identifier: Apache-2.0
# Reading and writing what the steps share. perl-base has no JSON module, so the little that is needed is here.
package Text;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(json_text json_list read_file write_file read_json output sha256_of_file);

# A JSON string. Bytes are kept as they are: dpkg's files are UTF-8.
sub json_text {
  my ($text) = @_;
  $text =~ s/([\\"])/\\$1/g;
  $text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
  return "\"$text\"";
}

sub json_list { return '[' . join(', ', map { json_text($_) } @_) . ']' }

sub read_file {
  my ($path, $most) = @_;
  open my $file, '<:raw', $path or die "$path: $!\n";
  die "$path is larger than $most bytes\n" if defined $most && -s $file > $most;
  local $/;
  my $bytes = <$file>;
  close $file or die "$path: $!\n";
  return $bytes // '';
}

# A step that ran half and runs again must not leave half a file.
sub write_file {
  my ($path, $bytes) = @_;
  open my $file, '>:raw', "$path.new" or die "$path: $!\n";
  print {$file} $bytes or die "$path: $!\n";
  close $file or die "$path: $!\n";
  rename "$path.new", $path or die "$path: $!\n";
}

# name=value lines that later steps and expressions read.
sub output {
  my %values = @_;
  open my $file, '>>:raw', $ENV{STELLA_OUTPUT} or die "STELLA_OUTPUT: $!\n";
  print {$file} "$_=$values{$_}\n" for sort keys %values;
  close $file or die "STELLA_OUTPUT: $!\n";
}

sub sha256_of_file {
  my ($path) = @_;
  open my $sum, '-|', 'sha256sum', '-z', '--', $path or die "sha256sum: $!\n";
  my $line = <$sum> // '';
  close $sum or die "sha256sum $path failed\n";
  return $line =~ /^([0-9a-f]{64})/ ? $1 : die "sha256sum $path said nothing\n";
}

# A JSON value: objects as hashes, arrays as lists, true and false as 1 and 0. The file comes from outside, so anything
# that is not JSON, or is nested deeper than 32, ends the step.
sub read_json {
  my ($text) = @_;
  my $value = _value(\$text, 0);
  die "there is text after the JSON\n" unless $text =~ /\G\s*\z/gc;
  return $value;
}

sub _value {
  my ($text, $depth) = @_;
  die "the JSON is nested too deeply\n" if $depth > 32;
  $$text =~ /\G\s+/gc;
  return _object($text, $depth) if $$text =~ /\G\{/gc;
  return _array($text, $depth) if $$text =~ /\G\[/gc;
  return _string($text) if $$text =~ /\G"/gc;
  return $1 if $$text =~ /\G(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)/gc;
  return 1 if $$text =~ /\Gtrue/gc;
  return 0 if $$text =~ /\Gfalse/gc;
  return undef if $$text =~ /\Gnull/gc;
  die 'this is not JSON, at byte ' . (pos($$text) // 0) . "\n";
}

sub _object {
  my ($text, $depth) = @_;
  my %object;
  return \%object if $$text =~ /\G\s*\}/gc;
  while (1) {
    $$text =~ /\G\s*"/gc or die "a JSON object has no name here\n";
    my $name = _string($text);
    $$text =~ /\G\s*:/gc or die "a JSON object has no `:` here\n";
    $object{$name} = _value($text, $depth + 1);
    return \%object if $$text =~ /\G\s*\}/gc;
    $$text =~ /\G\s*,/gc or die "a JSON object does not go on here\n";
  }
}

sub _array {
  my ($text, $depth) = @_;
  my @array;
  return \@array if $$text =~ /\G\s*\]/gc;
  while (1) {
    push @array, _value($text, $depth + 1);
    return \@array if $$text =~ /\G\s*\]/gc;
    $$text =~ /\G\s*,/gc or die "a JSON array does not go on here\n";
  }
}

sub _string {
  my ($text) = @_;
  my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", '"' => '"', '\\' => '\\', '/' => '/');
  my $string = '';
  while (1) {
    if ($$text =~ /\G([^"\\\x00-\x1f]+)/gc) { $string .= $1 }
    elsif ($$text =~ /\G"/gc) { return $string }
    elsif ($$text =~ /\G\\u([0-9a-fA-F]{4})/gc) { my $c = chr hex $1; utf8::encode($c); $string .= $c }
    elsif ($$text =~ /\G\\(["\\\/bfnrt])/gc) { $string .= $plain{$1} }
    else { die "a JSON string does not go on here\n" }
  }
}

1;

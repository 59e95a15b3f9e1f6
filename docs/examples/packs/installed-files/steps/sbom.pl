#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes the installed packages as an SPDX 2.3 document in JSON (https://spdx.github.io/spdx-spec/v2.3/).
use strict;
use warnings;
use POSIX ();
use lib '/pack/steps';
use Text qw(json_text write_file output sha256_of_file);

open my $status, '-|', 'tar', '-xOf', '/inputs/dpkg', 'status' or die "tar: $!\n";
my @packages;
{
  local $/ = '';  # paragraphs
  while (my $paragraph = <$status>) {
    my ($synopsis) = $paragraph =~ /^Description:[ \t]*(.*)$/m;
    $paragraph =~ s/\n[ \t]+/ /g;
    my %field = $paragraph =~ /^([A-Za-z-]+):[ \t]*(.*)$/mg;
    next unless ($field{Status} // '') =~ / installed\z/ && defined $field{Package} && defined $field{Version};
    $field{Description} = $synopsis;
    push @packages, \%field;
  }
}
close $status or die "the input dpkg has no file status\n";
die "the input dpkg lists no installed package\n" unless @packages;
@packages = sort { $a->{Package} cmp $b->{Package} || ($a->{Architecture} // '') cmp ($b->{Architecture} // '') } @packages;

sub escaped {  # as a purl wants it
  my ($text) = @_;
  $text =~ s/([^A-Za-z0-9.\-_~])/sprintf '%%%02X', ord $1/ge;
  return $text;
}

sub supplier {
  my ($maintainer) = @_;
  return 'NOASSERTION' unless defined $maintainer && $maintainer =~ /\S/;
  my $kind = $maintainer =~ /\b(?:team|group|maintainers|developers|debian)\b/i ? 'Organization' : 'Person';
  $maintainer =~ s/\s*<([^>]*)>\s*\z/ ($1)/;
  return "$kind: $maintainer";
}

my (@entries, @relations, %taken);
for my $package (@packages) {
  my ($name, $version, $arch) = ($package->{Package}, $package->{Version}, $package->{Architecture} // 'all');
  my $id = "SPDXRef-Package-$name-$arch";
  $id =~ s/[^A-Za-z0-9.-]/-/g;
  $id .= '-again' while $taken{$id}++;
  my $purl = 'pkg:deb/debian/' . escaped($name) . '@' . escaped($version) . '?arch=' . escaped($arch);
  push @entries, sprintf <<'JSON', map { json_text($_) } $id, $name, $version, supplier($package->{Maintainer}), $package->{Description} // $name, $purl;
    {
      "SPDXID": %s,
      "name": %s,
      "versionInfo": %s,
      "supplier": %s,
      "summary": %s,
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "NOASSERTION",
      "licenseDeclared": "NOASSERTION",
      "copyrightText": "NOASSERTION",
      "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": %s}]
    }
JSON
  push @relations, sprintf '    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": %s}', json_text($id);
}
chomp @entries;

my $created = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
my $namespace = 'https://spdx.example/stella/installed-files/' . sha256_of_file('/inputs/dpkg') . '/' . escaped($ENV{STELLA_RUN_ID});
write_file('/artifacts/sbom.spdx.json', sprintf(<<'JSON', json_text($ENV{LABEL}), json_text($namespace), json_text($created), join(",\n", @entries), join(",\n", @relations)));
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": %s,
  "documentNamespace": %s,
  "creationInfo": {"created": %s, "creators": ["Tool: installed-files-1.0.0"]},
  "packages": [
%s
  ],
  "relationships": [
%s
  ]
}
JSON
output(packages => scalar @packages);
print scalar(@packages), " packages are in sbom.spdx.json\n";

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tries to get out and hides that it failed: whether a run may go on is not for the pack to say. Addresses are those
# reserved for documentation (RFC 5737, RFC 3849), and one public resolver.
here=/pack/steps

echo "an update check, it says"
perl $here/attempt.pl http updates.vendor.example 80 || true
perl $here/attempt.pl http 203.0.113.10 80 || true
perl $here/attempt.pl http 2001:db8::10 443 || true
perl $here/attempt.pl dns 8.8.8.8 53 || true
echo "all fine, it says"
exit 0

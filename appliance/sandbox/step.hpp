// SPDX-License-Identifier: Apache-2.0
// Runs one step behind namespaces: no network but the allowed destinations, no host files, no privileges
// (docs/threat-model.md). One call per step; calls in several threads are fine.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::sandbox {

struct Endpoint {
  std::string host, address;
  int port = 0;
};  // one pinned address, IPv4 or IPv6

struct SecretInput {
  std::string name;
  const locked::Bytes* value;
  std::string env;  // empty: a file /run/secrets/NAME; else this variable, set between fork and exec
};

struct Spec {
  std::string step_id;
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;  // on top of the fixed PATH HOME LANG TZ SOURCE_DATE_EPOCH; no secrets
  std::vector<SecretInput> secrets;
  std::string pack, inputs, work,
      artifacts;     // folders of this run on the host: /pack ro, /inputs ro, /work, /artifacts
  std::string root;  // host folder of a runtime image's files, read-only; empty: the host's /usr
  std::map<std::string, std::string> root_env;  // of the image's config; beneath `env`, and never HOME, USER, TZ, ...
  std::string output_file;                      // host file bound at $STELLA_OUTPUT (/run/stella/output); made by us
  std::vector<Endpoint> allowed;
  std::vector<Endpoint> undeclared;  // the policy allows it, the pack did not ask: named in messages only
  std::chrono::milliseconds timeout{std::chrono::minutes(60)};
  std::chrono::milliseconds grace{2000};
  bool fail_fast = false;  // end the step at the first blocked attempt
  bool dns_block = true;   // an unlisted question counts as blocked
  std::uint64_t tmp_bytes = std::uint64_t{256} << 20;
  unsigned max_processes = 512;
};

enum class Stream { out, err };
struct Blocked {
  std::string program, protocol;  // tcp udp icmp dns other; program as the kernel names it, or `unknown`
  std::string host, address;      // host when a name was looked up; address may be empty for dns
  int port = 0;
  std::uint64_t count = 0;
  clock::Time first{};
};
struct Relayed {
  std::string host, address;
  int port = 0;
  std::uint64_t connections = 0, bytes_out = 0, bytes_in = 0;  // bytes_out: from the step to the destination
  std::uint64_t refused = 0;                                   // beyond 256 open connections of one step: reset
  bool unreachable = false;                                    // the destination did not answer: not a block
  std::uint64_t cut = 0;                                       // connections that network_is_cut() ended
};

// Called from the thread that called run().
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void output(Stream stream, std::string_view bytes) = 0;  // raw: redact before anything else
  virtual void blocked(const Blocked& first_seen) = 0;
  virtual bool stop_requested() = 0;  // polled at least every 100 ms
  // Polled as often. While true the allowed destinations are dead: what is open is reset, what is new is refused.
  virtual bool network_is_cut() { return false; }
};

enum class End { exited, signalled, timed_out, stopped, blocked_fast };
struct Result {
  End end = End::exited;
  int status = 0;                // exit status or signal number
  std::vector<Blocked> blocked;  // complete, with counts
  std::vector<Relayed> relayed;
  std::uint64_t witness_lost = 0;  // attempts that could not be named; > 0 counts as blocked
  std::chrono::milliseconds elapsed{};
  std::string limits;  // `advisory` or `cgroup`
};

// Throws ERR_SANDBOX_UNAVAILABLE when the kernel does not let us (message names the switch and its remedy), before
// anything of the step ran; ERR_PACK_STEP_FAILED reason `exec` when the program cannot be started.
[[nodiscard]] Result run(const Spec& spec, Observer& observer);
// What this machine offers; empty: all is there. Else the same text that run() would throw.
[[nodiscard]] std::string probe();

}  // namespace stella::sandbox

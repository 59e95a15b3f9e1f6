// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/courier.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "appliance/notify/libcurl.hpp"
#include "appliance/notify/replies.hpp"
#include "appliance/notify/request.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::notify {
namespace {

constexpr std::size_t kMaxAnswer = 65536;
constexpr long kConnectMillis = 5000, kMaxWaitSeconds = 3600;

struct Deleter {
  const Curl* curl;
  void operator()(CURL* handle) const { curl->cleanup(handle); }
  void operator()(curl_slist* list) const { curl->free_list(list); }
};
using Handle = std::unique_ptr<CURL, Deleter>;
using List = std::unique_ptr<curl_slist, Deleter>;

// A transfer with all that must stay where it is while it runs.
struct Transfer {
  const Curl* curl;
  const Parcel* parcel;
  Request request;
  Handle handle;
  List headers, recipients, addresses;
  Replies replies;
  std::size_t answered = 0, uploaded = 0;
};

// The last word on where a connection goes, whatever libcurl made of the rest: a pinned address or none.
curl_socket_t open_pinned(void* way, curlsocktype, curl_sockaddr* target) {
  char text[INET6_ADDRSTRLEN] = {};
  const void* bytes = nullptr;
  if (target->family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(&target->addr)->sin_addr;
  if (target->family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(&target->addr)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(target->family, bytes, text, sizeof text) == nullptr) return CURL_SOCKET_BAD;
  const auto& addresses = static_cast<const Way*>(way)->addresses;
  if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) return CURL_SOCKET_BAD;
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

std::size_t count_answer(char*, std::size_t size, std::size_t count, void* transfer) {
  auto& answered = static_cast<Transfer*>(transfer)->answered;
  answered += size * count;
  return answered > kMaxAnswer ? 0 : size * count;
}

std::size_t give_body(char* buffer, std::size_t size, std::size_t count, void* transfer) {
  auto& one = *static_cast<Transfer*>(transfer);
  const std::size_t give = std::min(size * count, one.request.body.size() - one.uploaded);
  std::memcpy(buffer, one.request.body.data() + one.uploaded, give);
  one.uploaded += give;
  return give;
}

// What goes by, credentials too: only the lines about recipients are looked at, and nothing of it is kept.
int follow(CURL*, curl_infotype type, char* bytes, std::size_t size, void* transfer) {
  auto& replies = static_cast<Transfer*>(transfer)->replies;
  if (type == CURLINFO_HEADER_OUT) replies.said({bytes, size});
  if (type == CURLINFO_HEADER_IN) replies.heard({bytes, size});
  return 0;
}

void append(const Curl& curl, List& list, const char* text) {
  curl_slist* longer = curl.append(list.get(), text);
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

const char* text_of(const locked::Bytes& bytes) {
  return reinterpret_cast<const char*>(bytes.data());
}

void set_bounds(Transfer& one) {
  const auto set = [&](CURLoption option, auto value) { one.curl->set(one.handle.get(), option, value); };
  const long within = std::max<long>(1, static_cast<long>(one.parcel->within.count()));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, within);
  set(CURLOPT_CONNECTTIMEOUT_MS, std::min(within, kConnectMillis));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROTOCOLS_STR, one.parcel->rule->to == "email" ? "smtp,smtps" : "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (one.parcel->ca_file) {
    set(CURLOPT_CAINFO, one.parcel->ca_file->c_str());
    set(CURLOPT_CAPATH, nullptr);
  }
  set(CURLOPT_OPENSOCKETFUNCTION, open_pinned);
  set(CURLOPT_OPENSOCKETDATA, static_cast<const void*>(&one.parcel->way));
  set(CURLOPT_WRITEFUNCTION, count_answer);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&one));
}

void set_way(Transfer& one) {
  const Way& way = one.parcel->way;
  append(*one.curl, one.addresses, fmt::format("{}:{}:{}", way.host, way.port, fmt::join(way.addresses, ",")).c_str());
  one.curl->set(one.handle.get(), CURLOPT_RESOLVE, one.addresses.get());
  one.curl->set(one.handle.get(), CURLOPT_URL, text_of(one.request.url));
}

void set_post(Transfer& one) {
  const auto set = [&](CURLoption option, auto value) { one.curl->set(one.handle.get(), option, value); };
  for (const std::string& header : one.request.headers) append(*one.curl, one.headers, header.c_str());
  if (!one.request.authorization.empty()) append(*one.curl, one.headers, text_of(one.request.authorization));
  set(CURLOPT_HTTPHEADER, one.headers.get());
  set(CURLOPT_USERAGENT, "stella");
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(one.request.body.size()));
  set(CURLOPT_POSTFIELDS, text_of(one.request.body));
}

void set_mail(Transfer& one) {
  const auto set = [&](CURLoption option, auto value) { one.curl->set(one.handle.get(), option, value); };
  const site::Notification& rule = *one.parcel->rule;
  if (rule.tls) set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  for (const std::string& to : one.parcel->recipients) append(*one.curl, one.recipients, ("<" + to + ">").c_str());
  set(CURLOPT_MAIL_FROM, ("<" + rule.from + ">").c_str());
  set(CURLOPT_MAIL_RCPT, one.recipients.get());
  set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  set(CURLOPT_VERBOSE, 1L);  // tells follow(), nobody else
  set(CURLOPT_DEBUGFUNCTION, follow);
  set(CURLOPT_DEBUGDATA, static_cast<void*>(&one));
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, give_body);
  set(CURLOPT_READDATA, static_cast<void*>(&one));
  if (one.request.user.empty()) return;
  set(CURLOPT_USERNAME, text_of(one.request.user));
  set(CURLOPT_PASSWORD, text_of(one.request.password));
}

Answer trouble(const Transfer& one, CURLcode code) {
  const auto later = [&](const char* reason) {
    return Answer{
        Verdict::later, reason,
        fmt::format("{} port {}: {}", one.parcel->way.host, one.parcel->way.port, one.curl->error_text(code))};
  };
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return later("connect");
    case CURLE_OPERATION_TIMEDOUT:
      return later("timeout");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
      return later("tls");
    case CURLE_WRITE_ERROR:
      return later("size");
    case CURLE_LOGIN_DENIED:
      return later("credential");
    default:
      return later("broken");
  }
}

void add_words(std::string& what, const char* how, const std::vector<Replies::Answered>& recipients) {
  for (const Replies::Answered& one : recipients)
    what += fmt::format("{}{} {} ({})", what.empty() ? "" : ", ", one.recipient, how, one.status);
}

Answer read_mail_answer(const Transfer& one, CURLcode code, long status) {
  const auto refused = one.replies.refused(), later = one.replies.later();
  const bool spoken = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
  const bool nobody = spoken && one.replies.is_about_all() && one.replies.taken().empty();
  if (code != CURLE_OK && !nobody) return spoken && status >= 400 ? read_smtp_status(status) : trouble(one, code);
  if (refused.empty() && later.empty()) return {Verdict::sent, {}, {}};
  Answer answer = read_smtp_status(later.empty() ? refused.front().status : later.front().status);
  if (nobody) return answer;
  // Somebody has it: from here on the others are asked for alone.
  answer.verdict = later.empty() ? Verdict::sent : Verdict::later;
  answer.what.clear();
  add_words(answer.what, "was refused", refused);
  add_words(answer.what, "is to be tried again", later);
  answer.closed = one.replies.taken();
  for (const auto& recipient : refused) answer.closed.push_back(recipient.recipient);
  return answer;
}

Answer read_answer(Transfer& one, CURLcode code) {
  long status = 0;
  curl_off_t wait = 0;
  one.curl->get(one.handle.get(), CURLINFO_RESPONSE_CODE, &status);
  one.curl->get(one.handle.get(), CURLINFO_RETRY_AFTER, &wait);
  if (one.parcel->rule->to == "email") return read_mail_answer(one, code, status);
  if (status < 200) return trouble(one, code);  // once it said 2xx it has it, however the rest of its answer went
  Answer answer = read_http_status(status);
  if (wait > 0) answer.wait = std::chrono::seconds(std::min<long>(static_cast<long>(wait), kMaxWaitSeconds));
  return answer;
}

class CurlCourier final : public Courier {
 public:
  Answer carry(const Parcel& parcel, const locked::Bytes& credential) override {
    const Curl* curl = find_curl();
    if (curl == nullptr) return {Verdict::later, "library", "libcurl (Debian: libcurl4) is not on this machine"};
    const Deleter deleter{curl};
    Transfer one{.curl = curl,
                 .parcel = &parcel,
                 .request = make_request(parcel, credential),
                 .handle = Handle(curl->init(), deleter),
                 .headers = List(nullptr, deleter),
                 .recipients = List(nullptr, deleter),
                 .addresses = List(nullptr, deleter),
                 .replies = Replies(parcel.recipients)};
    if (!one.handle) throw std::bad_alloc();
    set_bounds(one);
    set_way(one);
    if (parcel.rule->to == "email")
      set_mail(one);
    else
      set_post(one);
    return read_answer(one, curl->perform(one.handle.get()));
  }
};

}  // namespace

Answer read_http_status(long status) {
  if (status >= 200 && status < 300) return {Verdict::sent, {}, {}};
  const bool may = status == 408 || status == 425 || status == 429 || status >= 500;
  return {may ? Verdict::later : Verdict::refused, fmt::format("http-{}", status),
          fmt::format("the receiver answered {}{}", status, status >= 300 && status < 400 ? ", a redirect" : "")};
}

Answer read_smtp_status(long status) {
  if (status >= 200 && status < 300) return {Verdict::sent, {}, {}};
  return {status >= 500 ? Verdict::refused : Verdict::later, fmt::format("smtp-{}", status),
          fmt::format("the mail server answered {}", status)};
}

std::unique_ptr<Courier> make_courier() {
  return std::make_unique<CurlCourier>();
}

}  // namespace stella::notify

#include "tests/store/postgres_proxy.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// How soon a thread notices that it shall stop.
constexpr int kLookEveryMs = 20;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

  bool Send(absl::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

 private:
  const int fd_;
};

int Connect(const std::string& host, const std::string& port) {
  if (absl::StartsWith(host, "/")) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = absl::StrCat(host, "/.s.PGSQL.", port);
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
    close(fd);
    return -1;
  }
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) return -1;
  const int fd = socket(found->ai_family, SOCK_STREAM, 0);
  const bool connected = connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (connected) return fd;
  close(fd);
  return -1;
}

std::string BigEndian(size_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

// A client's first message, naming `database`: a length, a version, and pairs of
// texts, each with a zero at its end.
std::string Naming(absl::string_view first, const std::string& database) {
  std::string body(first.substr(4, 4));
  const std::vector<std::string> texts = absl::StrSplit(first.substr(8), '\0');
  for (size_t i = 0; i + 1 < texts.size() && !texts[i].empty(); i += 2) {
    absl::StrAppend(&body, texts[i], absl::string_view("\0", 1));
    absl::StrAppend(&body, texts[i] == "database" ? database : texts[i + 1],
                    absl::string_view("\0", 1));
  }
  body.push_back('\0');
  return BigEndian(body.size() + 4) + body;
}

}  // namespace

// A client's connection and ours to the server.
struct PostgresProxy::Link {
  Link(int client_fd, int server_fd, int cuts_before)
      : client(client_fd), server(server_fd), cuts(cuts_before) {}

  const Socket client;
  const Socket server;
  const int cuts;  // Of all, when it was made.
  int number = 0;
  std::string database;
  std::atomic<bool> cut = false;
  std::atomic<bool> frozen = false;
};

absl::StatusOr<PostgresProxy::Place> PostgresProxy::PlaceOf(const std::string& uri) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(uri.c_str(), nullptr), &PQconninfoFree);
  if (options == nullptr) return absl::InvalidArgumentError(uri);
  Place place{"127.0.0.1", "5432", "postgres", "postgres"};
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const absl::string_view name = option->keyword;
    if (name == "host") place.host = option->val;
    if (name == "port") place.port = option->val;
    if (name == "user") place.user = option->val;
    if (name == "dbname") place.database = option->val;
  }
  return place;
}

absl::StatusOr<std::unique_ptr<PostgresProxy>> PostgresProxy::Start(const std::string& uri) {
  std::unique_ptr<PostgresProxy> proxy(new PostgresProxy());
  ASSIGN_OR_RETURN(proxy->place_, PlaceOf(uri));
  proxy->listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(proxy->listener_, any, size) != 0 || listen(proxy->listener_, 64) != 0 ||
      getsockname(proxy->listener_, any, &size) != 0) {
    return absl::InternalError("no port to listen on");
  }
  proxy->port_ = ntohs(address.sin_port);
  proxy->accepting_ = std::thread([raw = proxy.get()] { raw->Accept(); });
  return proxy;
}

PostgresProxy::~PostgresProxy() {
  stopping_ = true;
  if (accepting_.joinable()) accepting_.join();
  for (std::thread& pump : pumps_) pump.join();
  close(listener_);
}

std::string PostgresProxy::uri() const {
  const std::lock_guard lock(mutex_);
  return absl::StrCat("postgresql://", place_.user, "@127.0.0.1:", port_, "/", place_.database,
                      "?sslmode=disable&gssencmode=disable");
}

void PostgresProxy::LeadTo(const std::string& uri) {
  const auto place = PlaceOf(uri);
  const std::lock_guard lock(mutex_);
  place_ = place.value();
}

void PostgresProxy::Ask(Judge judge) {
  const std::lock_guard lock(mutex_);
  judge_ = std::move(judge);
}

void PostgresProxy::CutAll() { ++cuts_; }

PostgresProxy::Verdict PostgresProxy::JudgeOf(const Bytes& bytes) {
  Judge judge;
  {
    const std::lock_guard lock(mutex_);
    judge = judge_;
  }
  const std::lock_guard lock(judging_);
  return judge ? judge(bytes) : Verdict::kPass;
}

void PostgresProxy::Accept() {
  while (!stopping_) {
    pollfd wait = {listener_, POLLIN, 0};
    if (poll(&wait, 1, kLookEveryMs) <= 0) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    Place place;
    {
      const std::lock_guard lock(mutex_);
      place = place_;
    }
    auto link = std::make_shared<Link>(client, Connect(place.host, place.port), cuts_.load());
    link->number = connections_++;
    link->database = place.database;
    if (link->server.fd() < 0) continue;
    // A thread for each direction: neither waits for what the other must move.
    for (const bool to_server : {true, false}) {
      pumps_.emplace_back([this, link, to_server] { Pump(*link, to_server); });
    }
  }
}

void PostgresProxy::Pump(Link& link, bool to_server) {
  const Socket& from = to_server ? link.client : link.server;
  const Socket& to = to_server ? link.server : link.client;
  bool is_first = to_server;
  std::array<char, 16 << 10> buffer;
  while (!stopping_ && !link.cut && link.cuts == cuts_) {
    pollfd wait = {from.fd(), POLLIN, 0};
    if (link.frozen) {
      poll(nullptr, 0, kLookEveryMs);
      continue;
    }
    if (poll(&wait, 1, kLookEveryMs) <= 0) continue;
    const ssize_t size = recv(from.fd(), buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    const absl::string_view bytes(buffer.data(), static_cast<size_t>(size));
    const Verdict verdict = JudgeOf({link.number, to_server, bytes});
    if (verdict == Verdict::kCut) break;
    if (verdict == Verdict::kFreeze) link.frozen = true;
    if (link.frozen) continue;
    const bool sent =
        std::exchange(is_first, false) ? to.Send(Naming(bytes, link.database)) : to.Send(bytes);
    if (!sent) break;
  }
  link.cut = true;
  // Wakes whoever is sending to it; closed when both directions have ended.
  shutdown(link.client.fd(), SHUT_RDWR);
  shutdown(link.server.fd(), SHUT_RDWR);
}

}  // namespace starratings::store
